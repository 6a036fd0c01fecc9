// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Functions and frames for tests. */
final class TestFunctions {

    static final byte[] MAC = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    static final long VERSION_1 = 1L << 32;
    static final long MRG_RXBUF = 1L << 15;
    static final long STATUS = 1L << 16;
    static final long CTRL_VQ = 1L << 17;
    static final long CTRL_RX = 1L << 18;
    static final long CTRL_VLAN = 1L << 19;
    static final long CTRL_RX_EXTRA = 1L << 20;
    static final long GUEST_ANNOUNCE = 1L << 21;
    static final long MQ = 1L << 22;
    static final long CTRL_MAC_ADDR = 1L << 23;
    static final long INDIRECT_DESC = 1L << 28;
    static final long EVENT_IDX = 1L << 29;
    static final long RING_PACKED = 1L << 34;
    static final long RING_RESET = 1L << 40;
    static final long HASH_REPORT = 1L << 57;
    static final long RSS = 1L << 60;

    private TestFunctions() {}

    static FunctionConfig config(int queuePairs) {
        return new FunctionConfig(
                "host1/pf0/vf1", MAC, queuePairs, 256, FunctionConfig.defaultFeatures(queuePairs));
    }

    static VirtioNetFunction function(int queuePairs) {
        return new VirtioNetFunction(config(queuePairs));
    }

    /** A frame to an address, of a length, with a number in its last four bytes where it is long enough. */
    static byte[] frame(byte[] destination, int length, int number) {
        ByteBuffer frame = ByteBuffer.allocate(length).put(0, destination).putShort(12, (short) 0x88B5);
        for (int i = 14; i < length; i++) {
            frame.put(i, (byte) (i * 7 + number));
        }
        if (length >= 18) {
            frame.putInt(length - 4, number);
        }
        return frame.array();
    }

    static byte[] frame(int length, int number) {
        return frame(MAC, length, number);
    }

    /** All parts of a function, which must be in the mode its caller wants. */
    static byte[] capture(VirtioNetFunction function) {
        ByteBuffer into = ByteBuffer.allocate(function.maxPartsSize());
        if (!function.captureParts(null, into)) {
            throw new AssertionError("the parts are larger than the maximum");
        }
        return Arrays.copyOf(into.array(), into.position());
    }

    /** Records the frames that a function transmits. */
    static List<byte[]> sink(VirtioNetFunction function) {
        List<byte[]> frames = new ArrayList<>();
        function.connect(frame -> {
            byte[] copy = new byte[frame.remaining()];
            frame.get(copy);
            frames.add(copy);
        });
        return frames;
    }
}
