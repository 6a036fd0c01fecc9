// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.fake;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.AdminQueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * An owner device that keeps every command as hex digits and answers by a script: per opcode a status, no answer at
 * all, an exception, or something to do first. Its layouts are written by hand from the virtio text.
 */
public class FakeAdminQueue implements AdminQueue {

    public static final int LIST_QUERY = 0x00;
    public static final int LIST_USE = 0x01;
    public static final int CAP_ID_LIST_QUERY = 0x07;
    public static final int DEVICE_CAP_GET = 0x08;
    public static final int DRIVER_CAP_SET = 0x09;
    public static final int CREATE = 0x0a;
    public static final int DESTROY = 0x0d;
    public static final int METADATA_GET = 0x0e;
    public static final int PARTS_GET = 0x0f;
    public static final int PARTS_SET = 0x10;
    public static final int MODE_SET = 0x11;

    /** What happens instead of the usual answer. */
    public interface Script {
        /** Null gives the usual answer. */
        CompletableFuture<Integer> answer(ByteBuffer[] writable);
    }

    public final List<String> commands = Collections.synchronizedList(new ArrayList<>());
    public final List<ByteBuffer[]> readables = Collections.synchronizedList(new ArrayList<>());
    public final List<ByteBuffer[]> writables = Collections.synchronizedList(new ArrayList<>());
    public final Map<Integer, Script> scripts = new HashMap<>();
    public final TreeSet<Integer> objects = new TreeSet<>();

    /** What LIST_QUERY tells: everything of virtio 1.4. */
    public byte[] opcodes = hex("ffff030000000000");
    public byte[] capabilities = hex("0100000000000000");
    public byte[] limits = hex("0403");
    public byte[] image = hex("03010000000000000000000001000000" + "0f");
    public int announcedSize = -1;

    public static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    /** Fails an opcode with a status and a qualifier. */
    public void refuse(int opcode, int status, int qualifier) {
        scripts.put(opcode, writable -> CompletableFuture.completedFuture(
                put(writable, new byte[] {(byte) status, 0, (byte) qualifier, 0, 0, 0, 0, 0})));
    }

    /** Never answers an opcode. */
    public void hang(int opcode) {
        scripts.put(opcode, writable -> new CompletableFuture<>());
    }

    /** Breaks the way to the device for an opcode. */
    public void fail(int opcode, DeviceException failure) {
        scripts.put(opcode, writable -> CompletableFuture.failedFuture(failure));
    }

    /** Does something before the usual answer. */
    public void before(int opcode, Runnable action) {
        scripts.put(opcode, writable -> {
            action.run();
            return null;
        });
    }

    public long count(int opcode) {
        return commands.stream().filter(command -> command.startsWith("%02x00".formatted(opcode))).count();
    }

    @Override
    public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        byte[] command = join(readable);
        commands.add(HexFormat.of().formatHex(command));
        readables.add(readable);
        writables.add(writable);
        int opcode = command[0];
        Script script = scripts.get(opcode);
        CompletableFuture<Integer> scripted = script == null ? null : script.answer(writable);
        return scripted != null ? scripted : CompletableFuture.completedFuture(perform(opcode, command, writable));
    }

    private synchronized int perform(int opcode, byte[] command, ByteBuffer[] writable) {
        byte[] result = switch (opcode) {
            case LIST_QUERY -> opcodes;
            case CAP_ID_LIST_QUERY -> capabilities;
            case DEVICE_CAP_GET -> limits;
            case METADATA_GET -> sizeOf(announcedSize < 0 ? image.length : announcedSize);
            case PARTS_GET -> image;
            default -> new byte[0];
        };
        int id = command.length > 28 ? command[28] : 0;
        if (opcode == CREATE && !objects.add(id)) {
            return put(writable, hex("1100010000000000")); // EEXIST
        }
        if (opcode == DESTROY && !objects.remove(id)) {
            return put(writable, hex("0600010000000000")); // ENXIO
        }
        byte[] answer = new byte[8 + result.length];
        System.arraycopy(result, 0, answer, 8, result.length);
        return put(writable, answer);
    }

    private static byte[] sizeOf(int size) {
        return new byte[] {(byte) size, (byte) (size >> 8), (byte) (size >> 16), (byte) (size >> 24), 0, 0, 0, 0};
    }

    /** Writes as a device does, across the buffers; returns the used length. */
    public static int put(ByteBuffer[] writable, byte[] answer) {
        int at = 0;
        for (ByteBuffer buffer : writable) {
            int count = Math.min(buffer.remaining(), answer.length - at);
            buffer.put(buffer.position(), answer, at, count);
            at += count;
        }
        return at;
    }

    public static byte[] join(ByteBuffer[] buffers) {
        int length = 0;
        for (ByteBuffer buffer : buffers) {
            length += buffer.remaining();
        }
        byte[] joined = new byte[length];
        int at = 0;
        for (ByteBuffer buffer : buffers) {
            buffer.duplicate().get(joined, at, buffer.remaining());
            at += buffer.remaining();
        }
        return joined;
    }
}
