// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.virtio.AdminQueue;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** A driver's side of an admin queue: bytes out, bytes back, and a look at every byte that must not be touched. */
public final class AdminPort {

    /** Space that is enough for the answer of every command but one with parts. */
    public static final int SPACE = 64;

    private static final int WORD_BYTES = 8;
    private static final byte UNTOUCHED = (byte) 0xA5;
    private static final long WAIT_SECONDS = 30;

    private final AdminQueue queue;

    /** A driver of this queue. */
    public AdminPort(AdminQueue queue) {
        this.queue = queue;
    }

    /** Sends a command with {@link #SPACE} bytes for the answer. */
    public Answer send(String command) {
        return send(command, SPACE);
    }

    /** Sends a command with so many bytes for the answer. */
    public Answer send(String command, int space) {
        return send(Hex.bytes(command), space);
    }

    /** Sends a command; fails when a byte behind the used length was touched, or the command was changed. */
    public Answer send(byte[] command, int space) {
        byte[] sent = command.clone();
        byte[] writable = canary(space);
        int used = submit(sent, writable);
        assertThat(sent).as("the device-readable part stays as it is").isEqualTo(command);
        assertThat(used).as("used length").isBetween(0, space);
        int end = Math.min(space, (used + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES);
        int touched = Arrays.mismatch(writable, end, space, canary(space), end, space);
        assertThat(touched).as("first byte that was touched behind the last word of %d bytes", used).isEqualTo(-1);
        return new Answer(used, Arrays.copyOf(writable, used), Arrays.copyOfRange(writable, used, end));
    }

    /** Bytes that no device writes by chance. */
    public static byte[] canary(int space) {
        byte[] bytes = new byte[space];
        Arrays.fill(bytes, UNTOUCHED);
        return bytes;
    }

    private int submit(byte[] readable, byte[] writable) {
        try {
            return begin(new ByteBuffer[] {ByteBuffer.wrap(readable)}, new ByteBuffer[] {ByteBuffer.wrap(writable)})
                    .toCompletableFuture()
                    .get(WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("no answer to " + Hex.of(readable), e);
        }
    }

    /** Submits a command and does not wait. */
    public CompletionStage<Integer> begin(ByteBuffer[] readable, ByteBuffer[] writable) {
        return queue.submit(readable, writable);
    }

    /** Sends a command and compares every byte of the answer. */
    public void expect(String command, String answer) {
        expect(command, SPACE, answer);
    }

    /** Sends a command with so much space and compares every byte of the answer. */
    public void expect(String command, int space, String answer) {
        assertThat(send(command, space).hex()).as("answer to %s", command).isEqualTo(Hex.plain(answer));
    }

    /** Sends a command that must succeed; gives its result. */
    public Answer accept(String command) {
        return accept(command, SPACE);
    }

    /** Sends a command with so much space that must succeed. */
    public Answer accept(String command, int space) {
        Answer answer = send(command, space);
        assertThat(answer.hex()).as("answer to %s", command).startsWith(Hex.plain(Commands.OK));
        return answer;
    }
}
