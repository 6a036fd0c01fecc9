// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The value of a {@link DevicePartType#PACKED_VQ_POSITION} device part: where the device is in one packed virtqueue.
 * Each position is one 16-bit number as vhost gives it (VHOST_GET_VRING_BASE): the descriptor in bits 0 to 14, the wrap
 * counter in bit 15.
 *
 * <table>
 *   <caption>Layout, little-endian, 4 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>last_avail_idx: the next descriptor to look for a buffer in</td></tr>
 *   <tr><td>2</td><td>2</td><td>last_used_idx: the next descriptor to write a used buffer to</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param avail unsigned 16 bits
 * @param used unsigned 16 bits
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Packed Virtqueues"</a>
 * @see <a href="https://github.com/torvalds/linux/blob/master/include/uapi/linux/vhost.h">Linux, vhost.h</a>
 */
public record PackedVirtqueuePosition(int avail, int used) {

    /** Bytes of an encoded value. */
    public static final int BYTES = 4;

    /** Bit of the wrap counter. */
    public static final int WRAP_COUNTER = 0x8000;

    /** Where a packed virtqueue begins: descriptor 0, wrap counter 1. */
    public static final int INITIAL = WRAP_COUNTER;

    /** Index of the descriptor of a position. */
    public static int descriptor(int position) {
        return position & ~WRAP_COUNTER;
    }

    /** The wrap counter of a position. */
    public static boolean wrapCounter(int position) {
        return (position & WRAP_COUNTER) != 0;
    }

    /** Writes the 4 bytes at the position of a buffer and moves it on. */
    public void encode(ByteBuffer into) {
        into.slice(into.position(), BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(0, (short) avail)
                .putShort(2, (short) used);
        into.position(into.position() + BYTES);
    }

    /** Reads 4 bytes at the position of a buffer and moves it on. */
    public static PackedVirtqueuePosition decode(ByteBuffer from) {
        ByteBuffer at = from.slice(from.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
        from.position(from.position() + BYTES);
        return new PackedVirtqueuePosition(Short.toUnsignedInt(at.getShort(0)), Short.toUnsignedInt(at.getShort(2)));
    }
}
