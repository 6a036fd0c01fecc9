// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The value of a VQ_CFG device part: how one virtqueue is configured.
 *
 * <table>
 *   <caption>Layout, little-endian, 32 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>queue_size</td></tr>
 *   <tr><td>2</td><td>2</td><td>vector: MSI-X vector, 0xFFFF = none</td></tr>
 *   <tr><td>4</td><td>2</td><td>enabled: 0 or 1</td></tr>
 *   <tr><td>6</td><td>2</td><td>reserved</td></tr>
 *   <tr><td>8</td><td>8</td><td>queue_desc: IOVA of the descriptor area</td></tr>
 *   <tr><td>16</td><td>8</td><td>queue_driver: IOVA of the driver area</td></tr>
 *   <tr><td>24</td><td>8</td><td>queue_device: IOVA of the device area</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Virtqueue configuration
 *     part"</a>
 */
public record VirtqueueConfig(int size, int vector, boolean enabled, long desc, long driver, long device) {

    /** Bytes of an encoded value. */
    public static final int BYTES = 32;

    /** No MSI-X vector: VIRTIO_MSI_NO_VECTOR. */
    public static final int NO_VECTOR = 0xFFFF;

    /** Writes the 32 bytes at the position of a buffer and moves it on. */
    public void encode(ByteBuffer into) {
        into.slice(into.position(), BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(0, (short) size)
                .putShort(2, (short) vector)
                .putShort(4, (short) (enabled ? 1 : 0))
                .putShort(6, (short) 0)
                .putLong(8, desc)
                .putLong(16, driver)
                .putLong(24, device);
        into.position(into.position() + BYTES);
    }

    /** Reads 32 bytes at the position of a buffer and moves it on; any non-zero enabled is taken as 1. */
    public static VirtqueueConfig decode(ByteBuffer from) {
        ByteBuffer at = from.slice(from.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
        from.position(from.position() + BYTES);
        return new VirtqueueConfig(
                Short.toUnsignedInt(at.getShort(0)),
                Short.toUnsignedInt(at.getShort(2)),
                at.getShort(4) != 0,
                at.getLong(8),
                at.getLong(16),
                at.getLong(24));
    }
}
