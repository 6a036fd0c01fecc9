// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.member.MemberDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One owner device with real members that gets random commands, and who watches it: every answer is well-formed,
 * nothing is written behind it, and a command that fails changes nothing.
 */
final class OwnerFuzz implements AutoCloseable {

    /** How a command gets to the device. */
    enum Way {
        SERVICE,
        VIRTQUEUE
    }

    private static final int MEMBERS = 3;
    private static final byte UNTOUCHED = (byte) 0xa5;
    private static final List<Integer> STATUSES = List.of(0, 6, 12, 16, 17, 22, 28);
    private static final int COMMANDS_BETWEEN_RESETS = 400;

    /** As many of virtio 1.4 have a number. */
    static final int OPCODES = 0x12;

    /** How often each opcode succeeded, as the device saw it. */
    final int[] succeeded = new int[OPCODES];
    int refused;

    private final SplittableRandom random;
    private final Way way;
    private final OwnerDevice owner;
    private final OwnerDriver driver;
    private final RandomCommands commands;
    private final StateImage image;
    private byte[] before;

    OwnerFuzz(long seed, Way way, boolean strict) {
        this.random = new SplittableRandom(seed);
        this.way = way;
        AdapterSettings settings = Bench.settings(MEMBERS, strict);
        owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
        driver = new OwnerDriver(owner.ownerFunction());
        commands = new RandomCommands(random, this::parts);
        image = new StateImage(owner);
    }

    private byte[] parts() {
        MemberDevice device = (MemberDevice) owner.function(1 + random.nextInt(MEMBERS));
        ByteBuffer into = ByteBuffer.allocate(device.maxPartsSize());
        device.captureParts(null, into);
        return Arrays.copyOf(into.array(), into.position());
    }

    /** Performs commands, with a reset of one kind or another from time to time. */
    void run(int count) {
        for (int i = 0; i < count; i++) {
            if (i % COMMANDS_BETWEEN_RESETS == 0) {
                reset();
            }
            perform(commands.next(), commands.space());
        }
    }

    private void reset() {
        if (random.nextBoolean()) {
            driver.functionLevelReset();
            driver.enableVfs(MEMBERS);
        }
        driver.start();
        for (int member = 1; member <= MEMBERS; member++) {
            owner.function(member).writeConfig(0x04, 2, 0x0006);
        }
        driver.execute(Bench.USE_ALL, 8);
        driver.execute(Bench.toSelf(1, "8303000000000000"), 8);
        driver.execute(Bench.toSelf(9, "0000 000000000000 0505"), 8);
        before = image.take();
    }

    private void perform(byte[] command, int space) {
        byte[] answer = answer(command, space);
        check(command, space, answer);
        byte[] after = image.take();
        // Without space for the status nobody can tell whether the command succeeded.
        if (answer.length >= 2 && (answer[0] != 0 || answer[1] != 0)) {
            refused++;
            if (!Arrays.equals(before, after)) {
                throw new AssertionError("a command that failed changed byte %d of the state: %s, answered %s"
                        .formatted(Arrays.mismatch(before, after), Bench.hex(command), Bench.hex(answer)));
            }
        } else if (command.length >= 2 && command[1] == 0 && command[0] >= 0 && command[0] < succeeded.length) {
            succeeded[command[0]]++;
        }
        before = after;
    }

    private byte[] answer(byte[] command, int space) {
        int piece = random.nextBoolean() ? 1 << 20 : 1 + (command.length + space) / 100 + random.nextInt(64);
        return switch (way) {
            case SERVICE -> submit(command, space, piece);
            case VIRTQUEUE ->
                driver.execute(List.of(new OwnerDriver.Request(command, space, piece, random.nextBoolean())))
                        .get(0);
        };
    }

    private byte[] submit(byte[] command, int space, int piece) {
        byte[] written = new byte[space];
        Arrays.fill(written, UNTOUCHED);
        int used = owner.submit(pieces(command.clone(), piece), pieces(written, piece))
                .toCompletableFuture()
                .join();
        for (int at = Bench.wholeWords(used); at < space; at++) {
            if (written[at] != UNTOUCHED) {
                throw new AssertionError("byte %d was written, but %d are reported as used, by %s"
                        .formatted(at, used, Bench.hex(command)));
            }
        }
        return Arrays.copyOf(written, used);
    }

    private static ByteBuffer[] pieces(byte[] bytes, int piece) {
        List<ByteBuffer> pieces = new ArrayList<>();
        for (int done = 0; done < bytes.length; done += piece) {
            pieces.add(ByteBuffer.wrap(bytes, done, Math.min(piece, bytes.length - done)));
        }
        return pieces.toArray(ByteBuffer[]::new);
    }

    private static void check(byte[] command, int space, byte[] answer) {
        boolean wellFormed = answer.length <= space && answer.length >= Math.min(8, space);
        if (answer.length >= 8) {
            ByteBuffer head = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
            int status = head.getShort(0);
            int qualifier = head.getShort(2);
            wellFormed &= STATUSES.contains(status)
                    && (status == 0) == (qualifier == 0)
                    && qualifier >= 0
                    && qualifier <= 7
                    && head.getInt(4) == 0
                    && (status == 0 || answer.length == 8);
        }
        if (!wellFormed) {
            throw new AssertionError("%d bytes of space: %s was answered %s"
                    .formatted(space, Bench.hex(command), Bench.hex(answer)));
        }
    }

    @Override
    public void close() {
        owner.close();
    }
}
