// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The value of a VQ_PACKED_RUN field: how far the device has come in one enabled packed queue.
 *
 * <table>
 *   <caption>Layout, little-endian, 8 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>index</td></tr>
 *   <tr><td>2</td><td>2</td><td>avail_off_wrap: position in bits 0 to 14, wrap counter in bit 15</td></tr>
 *   <tr><td>4</td><td>2</td><td>used_off_wrap, likewise</td></tr>
 *   <tr><td>6</td><td>2</td><td>reserved</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param index of the queue
 * @param availOffWrap where the next chain is taken, unsigned 16 bits
 * @param usedOffWrap where the next chain is used, unsigned 16 bits
 */
public record PackedRunContext(int index, int availOffWrap, int usedOffWrap) {

    /** Bytes of an encoded value. */
    public static final int BYTES = 8;

    /** The value as bytes. */
    public ByteBuffer encode() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(0, (short) index)
                .putShort(2, (short) availOffWrap)
                .putShort(4, (short) usedOffWrap);
    }

    /** Reads a value of {@link #BYTES}, little-endian; not changed. */
    public static PackedRunContext decode(ByteBuffer value) {
        return new PackedRunContext(
                Short.toUnsignedInt(value.getShort(0)),
                Short.toUnsignedInt(value.getShort(2)),
                Short.toUnsignedInt(value.getShort(4)));
    }
}
