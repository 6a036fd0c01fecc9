// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** Admin commands by chance: most of them almost right, some of them damaged, some nothing but bytes. */
final class RandomCommands {

    private static final int MEMBERS = 3;
    private static final int IDS = 6;

    private static final int[] OPCODES = {
        0x00, 0x01, 0x02, 0x02, 0x03, 0x03, 0x04, 0x04, 0x05, 0x05, 0x06, 0x07, 0x08, 0x09, 0x09, 0x0a, 0x0a, 0x0a,
        0x0a, 0x0b, 0x0b, 0x0c, 0x0c, 0x0d, 0x0d, 0x0e, 0x0e,
        0x0f, 0x0f, 0x10, 0x10, 0x10, 0x10, 0x11, 0x11, 0x11, 0x11
    };

    private final SplittableRandom random;
    private final Supplier<byte[]> parts;

    /**
     * Commands of a seed.
     *
     * @param parts gives parts as they are in some member now
     */
    RandomCommands(SplittableRandom random, Supplier<byte[]> parts) {
        this.random = random;
        this.parts = parts;
    }

    private boolean rarely() {
        return random.nextInt(24) == 0;
    }

    /** The next device-readable part. */
    byte[] next() {
        if (rarely()) {
            return bytes(random.nextInt(96));
        }
        byte[] command = almostRight();
        return switch (random.nextInt(32)) {
            case 0 -> Arrays.copyOf(command, random.nextInt(command.length + 1));
            case 1 -> append(command, bytes(random.nextInt(40)));
            case 2 -> flip(command);
            case 3 -> append(command, new byte[random.nextInt(12)]);
            default -> command;
        };
    }

    /** How much space the answer gets. */
    int space() {
        return switch (random.nextInt(10)) {
            case 0, 1 -> random.nextInt(17);
            case 2 -> 8 * random.nextInt(16);
            default -> 2048;
        };
    }

    private byte[] almostRight() {
        int opcode = rarely() ? random.nextInt(rarely() ? 0x10000 : 0x14) : OPCODES[random.nextInt(OPCODES.length)];
        boolean toSelf = opcode >= 0x07 && opcode <= 0x09 || opcode < 2 && random.nextBoolean();
        int group = rarely() ? random.nextInt(4) : toSelf ? 0 : 1;
        long member = rarely() ? odd() : toSelf ? 0 : 1 + random.nextInt(MEMBERS);
        byte[] data = data(opcode, toSelf);
        ByteBuffer command = ByteBuffer.allocate(24 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        command.putShort(0, (short) opcode).putShort(2, (short) group).putLong(16, member);
        return command.put(24, data).array();
    }

    private long odd() {
        long[] odd = {0, MEMBERS + 1, -1, 1L << 32 | 1, random.nextLong()};
        return odd[random.nextInt(odd.length)];
    }

    private byte[] data(int opcode, boolean toSelf) {
        return switch (opcode) {
            case 0x01 -> list(toSelf);
            case 0x02, 0x04 -> append(legacyOffset(), bytes(1 << random.nextInt(3)));
            case 0x03, 0x05 -> legacyOffset();
            case 0x08 -> new byte[] {(byte) (rarely() ? random.nextInt(256) : 0), 0, 0, 0, 0, 0, 0, 0};
            case 0x09 -> capability();
            case 0x0a, 0x0b -> append(object(), new byte[] {zeroOrNot(), 0, 0, 0, 0, 0, 0, 0, (byte) operation()});
            case 0x0c -> append(object(), new byte[] {zeroOrNot(), 0, 0, 0, 0, 0, 0, 0});
            case 0x0d -> object();
            case 0x0e -> append(object(), new byte[] {(byte) random.nextInt(rarely() ? 256 : 3), 0, 0, 0, 0, 0, 0, 0});
            case 0x0f -> selection();
            case 0x10 -> append(object(), partsToSet());
            case 0x11 -> new byte[] {(byte) random.nextInt(rarely() ? 256 : 2)};
            default -> bytes(random.nextInt(32));
        };
    }

    private byte[] list(boolean toSelf) {
        long all = toSelf ? 0x383 : 0x3ffff;
        long list = rarely() ? all & random.nextLong() : rarely() ? random.nextLong() : all;
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(list).array();
    }

    private byte[] legacyOffset() {
        return new byte[] {(byte) random.nextInt(rarely() ? 256 : 24), 0, 0, 0, 0, 0, 0, 0};
    }

    private byte[] capability() {
        int most = rarely() ? 256 : IDS;
        return new byte[] {zeroOrNot(), 0, 0, 0, 0, 0, 0, 0, (byte) random.nextInt(most), (byte) random.nextInt(most)};
    }

    private int operation() {
        return random.nextInt(rarely() ? 256 : 2);
    }

    private byte zeroOrNot() {
        return (byte) (rarely() ? random.nextInt(256) : 0);
    }

    private byte[] object() {
        int id = rarely() ? random.nextInt() : random.nextInt(IDS);
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(0, zeroOrNot())
                .putInt(4, id)
                .array();
    }

    private byte[] selection() {
        byte[] type = {(byte) random.nextInt(rarely() ? 256 : 2), 0, 0, 0, 0, 0, 0, 0};
        byte[] wanted = parts.get();
        return append(append(object(), type), Arrays.copyOf(wanted, 16 * random.nextInt(4)));
    }

    private byte[] partsToSet() {
        byte[] whole = parts.get();
        return switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(whole, random.nextInt(whole.length + 1));
            case 1, 2 -> flip(whole);
            case 3 -> append(whole, bytes(random.nextInt(24)));
            default -> whole;
        };
    }

    private byte[] flip(byte[] bytes) {
        byte[] flipped = bytes.clone();
        if (flipped.length > 0) {
            flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] append(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
