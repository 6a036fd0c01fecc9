// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import dev.ferry.virtio.VirtqueueConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The value of a VQ_CFG field: how one enabled queue is configured.
 *
 * <table>
 *   <caption>Layout, little-endian, 40 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>index</td></tr>
 *   <tr><td>2</td><td>2</td><td>size</td></tr>
 *   <tr><td>4</td><td>2</td><td>vector, 0xFFFF = none</td></tr>
 *   <tr><td>6</td><td>2</td><td>enabled</td></tr>
 *   <tr><td>8</td><td>8</td><td>desc</td></tr>
 *   <tr><td>16</td><td>8</td><td>driver</td></tr>
 *   <tr><td>24</td><td>8</td><td>device</td></tr>
 *   <tr><td>32</td><td>2</td><td>notify_off</td></tr>
 *   <tr><td>34</td><td>2</td><td>notif_config_data</td></tr>
 *   <tr><td>36</td><td>2</td><td>reset</td></tr>
 *   <tr><td>38</td><td>2</td><td>reserved</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param index of the queue
 * @param config size, vector, state and areas
 * @param notifyOff where the queue is notified
 * @param notifConfigData data for its notifications
 * @param reset whether the queue is being reset
 */
public record QueueContext(int index, VirtqueueConfig config, int notifyOff, int notifConfigData, int reset) {

    /** Bytes of an encoded value. */
    public static final int BYTES = 40;

    /** The value as bytes. */
    public ByteBuffer encode() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(0, (short) index)
                .putShort(2, (short) config.size())
                .putShort(4, (short) config.vector())
                .putShort(6, (short) (config.enabled() ? 1 : 0))
                .putLong(8, config.desc())
                .putLong(16, config.driver())
                .putLong(24, config.device())
                .putShort(32, (short) notifyOff)
                .putShort(34, (short) notifConfigData)
                .putShort(36, (short) reset);
    }

    /** Reads a value of {@link #BYTES}, little-endian; not changed. Any non-zero enabled is taken as 1. */
    public static QueueContext decode(ByteBuffer value) {
        VirtqueueConfig config = new VirtqueueConfig(
                Short.toUnsignedInt(value.getShort(2)),
                Short.toUnsignedInt(value.getShort(4)),
                value.getShort(6) != 0,
                value.getLong(8),
                value.getLong(16),
                value.getLong(24));
        return new QueueContext(
                Short.toUnsignedInt(value.getShort(0)),
                config,
                Short.toUnsignedInt(value.getShort(32)),
                Short.toUnsignedInt(value.getShort(34)),
                Short.toUnsignedInt(value.getShort(36)));
    }
}
