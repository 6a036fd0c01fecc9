// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The value of a VQ_NOTIFY_CFG device part: where and how one virtqueue is notified.
 *
 * <table>
 *   <caption>Layout, little-endian, 8 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>queue_notify_off</td></tr>
 *   <tr><td>2</td><td>2</td><td>queue_notif_config_data</td></tr>
 *   <tr><td>4</td><td>4</td><td>reserved</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Virtqueue notification
 *     configuration part"</a>
 */
public record VirtqueueNotifyConfig(int notifyOff, int notifConfigData) {

    /** Bytes of an encoded value. */
    public static final int BYTES = 8;

    /** Writes the 8 bytes at the position of a buffer and moves it on. */
    public void encode(ByteBuffer into) {
        into.slice(into.position(), BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(0, (short) notifyOff)
                .putShort(2, (short) notifConfigData)
                .putInt(4, 0);
        into.position(into.position() + BYTES);
    }

    /** Reads 8 bytes at the position of a buffer and moves it on. */
    public static VirtqueueNotifyConfig decode(ByteBuffer from) {
        ByteBuffer at = from.slice(from.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
        from.position(from.position() + BYTES);
        return new VirtqueueNotifyConfig(Short.toUnsignedInt(at.getShort(0)), Short.toUnsignedInt(at.getShort(2)));
    }
}
