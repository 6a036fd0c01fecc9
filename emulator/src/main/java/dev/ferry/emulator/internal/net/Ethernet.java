// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads Ethernet frames (IEEE 802.3) where they lie; all numbers are big-endian on the wire. */
final class Ethernet {

    /** Bytes of destination, source and type. */
    static final int HEADER_BYTES = 14;
    /** Most bytes of a frame: 64 KiB of payload as virtio-net means it, with header. */
    static final int MAX_FRAME_BYTES = 65550;

    /** Offset of the source address; the destination is at 0. */
    static final int SOURCE = 6;
    /** Offset of the type. */
    static final int TYPE = 12;
    /** Type of a frame with an 802.1Q tag. */
    static final int TYPE_VLAN = 0x8100;
    /** Bytes of an 802.1Q tag, of which the last two hold the id. */
    static final int VLAN_BYTES = 4;

    /** The broadcast address. */
    static final long BROADCAST = 0xFFFF_FFFF_FFFFL;

    private static final long MULTICAST_BIT = 0x0100_0000_0000L;
    private static final int VLAN_ID_MASK = 0x0FFF;

    private Ethernet() {}

    /** Six bytes as a number whose highest byte is the first. */
    static long address(ByteBuffer bytes, int index) {
        return (long) u16(bytes, index) << 32 | (long) u16(bytes, index + 2) << 16 | u16(bytes, index + 4);
    }

    /** Six bytes from an array. */
    static long address(byte[] bytes) {
        return address(ByteBuffer.wrap(bytes), 0);
    }

    /** Writes an address at the position of a buffer and moves it on. */
    static void putAddress(ByteBuffer into, long address) {
        for (int shift = 40; shift >= 0; shift -= Byte.SIZE) {
            into.put((byte) (address >>> shift));
        }
    }

    /** Whether an address is of a group; true of the broadcast address, too. */
    static boolean isMulticast(long address) {
        return (address & MULTICAST_BIT) != 0;
    }

    /** Two bytes of the wire, whatever the order of the buffer. */
    static int u16(ByteBuffer bytes, int index) {
        short value = bytes.getShort(index);
        return Short.toUnsignedInt(bytes.order() == ByteOrder.BIG_ENDIAN ? value : Short.reverseBytes(value));
    }

    /** The VLAN id of a tagged frame that begins at the position; -1 of any other. */
    static int vlan(ByteBuffer frame) {
        int start = frame.position();
        return frame.remaining() >= HEADER_BYTES + VLAN_BYTES && u16(frame, start + TYPE) == TYPE_VLAN
                ? u16(frame, start + HEADER_BYTES) & VLAN_ID_MASK
                : -1;
    }
}
