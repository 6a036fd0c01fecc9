// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Receive-side scaling as the driver configured it: struct virtio_net_rss_config.
 *
 * <table>
 *   <caption>Layout, little-endian</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>4</td><td>hash_types</td></tr>
 *   <tr><td>4</td><td>2</td><td>indirection_table_mask: number of entries - 1</td></tr>
 *   <tr><td>6</td><td>2</td><td>unclassified_queue: queue index / 2 in the low 15 bits</td></tr>
 *   <tr><td>8</td><td>2 each</td><td>indirection_table, entries alike</td></tr>
 *   <tr><td></td><td>2</td><td>max_tx_vq</td></tr>
 *   <tr><td></td><td>1</td><td>hash_key_length</td></tr>
 *   <tr><td></td><td>length</td><td>hash_key_data</td></tr>
 * </table>
 *
 * @param data the structure; shared, not to be changed
 * @param hash hash types and key of it
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Receive-side scaling
 *     (RSS)"</a>
 */
record RssConfig(byte[] data, HashParameters hash) {

    /** rss_max_indirection_table_length. */
    static final int MAX_TABLE_LENGTH = 128;
    private static final int MASK_OFFSET = 4;
    private static final int UNCLASSIFIED_OFFSET = 6;
    private static final int TABLE_OFFSET = 8;
    private static final int PAIR_MASK = 0x7FFF;

    /** Most bytes of the structure. */
    static final int MAX_BYTES =
            TABLE_OFFSET + MAX_TABLE_LENGTH * Short.BYTES + Short.BYTES + 1 + HashParameters.MAX_KEY_BYTES;

    /**
     * Reads the structure.
     *
     * @param from little-endian, from position to limit; consumed
     * @param pairs queue pairs of the device
     * @return empty when it is not that, or this device cannot do it
     */
    static Optional<RssConfig> read(ByteBuffer from, int pairs) {
        if (from.remaining() < TABLE_OFFSET || from.remaining() > MAX_BYTES) {
            return Optional.empty();
        }
        byte[] data = new byte[from.remaining()];
        from.get(data);
        int entries = u16(data, MASK_OFFSET) + 1;
        int tableEnd = TABLE_OFFSET + entries * Short.BYTES;
        if (entries > MAX_TABLE_LENGTH || Integer.bitCount(entries) != 1 || data.length < tableEnd + Short.BYTES) {
            return Optional.empty();
        }
        for (int entry = UNCLASSIFIED_OFFSET; entry < tableEnd; entry += Short.BYTES) {
            if ((u16(data, entry) & PAIR_MASK) >= pairs) {
                return Optional.empty();
            }
        }
        int transmitQueues = u16(data, tableEnd);
        if (transmitQueues < 1 || transmitQueues > pairs) {
            return Optional.empty();
        }
        ByteBuffer at = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        return HashParameters.read(at.getInt(0), at.position(tableEnd + Short.BYTES))
                .map(hash -> new RssConfig(data, hash));
    }

    /** The receive queue of a packet. */
    int queue(ToeplitzHash packet) {
        int entry = packet.isCalculated()
                ? TABLE_OFFSET + (packet.value() & u16(data, MASK_OFFSET)) * Short.BYTES
                : UNCLASSIFIED_OFFSET;
        return 2 * (u16(data, entry) & PAIR_MASK);
    }

    private static int u16(byte[] data, int offset) {
        return Byte.toUnsignedInt(data[offset]) | Byte.toUnsignedInt(data[offset + 1]) << Byte.SIZE;
    }
}
