// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.pci.PciRegisters;
import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The device-specific configuration, which is read-only but for the address in the legacy interface.
 *
 * <table>
 *   <caption>Layout, little-endian, 24 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>6</td><td>mac</td></tr>
 *   <tr><td>6</td><td>2</td><td>status: bit 0 = link up, bit 1 = announce</td></tr>
 *   <tr><td>8</td><td>2</td><td>max_virtqueue_pairs</td></tr>
 *   <tr><td>10</td><td>2</td><td>mtu</td></tr>
 *   <tr><td>12</td><td>5</td><td>speed, duplex: 0, VIRTIO_NET_F_SPEED_DUPLEX is not offered</td></tr>
 *   <tr><td>17</td><td>1</td><td>rss_max_key_size</td></tr>
 *   <tr><td>18</td><td>2</td><td>rss_max_indirection_table_length</td></tr>
 *   <tr><td>20</td><td>4</td><td>supported_hash_types</td></tr>
 * </table>
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct
 *     virtio_net_config</a>
 */
final class DeviceConfigRegisters {

    /** Bytes of the structure. */
    static final int BYTES = 24;

    private static final int STATUS_OFFSET = 6;
    /** Offset of max_virtqueue_pairs. */
    static final int MAX_VIRTQUEUE_PAIRS_OFFSET = 8;
    private static final int MTU_OFFSET = 10;
    private static final int SPEED_OFFSET = 12;
    private static final int DUPLEX_OFFSET = 16;
    private static final int RSS_MAX_KEY_SIZE_OFFSET = 17;
    private static final int RSS_MAX_INDIRECTION_TABLE_LENGTH_OFFSET = 18;
    private static final int SUPPORTED_HASH_TYPES_OFFSET = 20;

    /** Where each field ends. */
    private static final int[] FIELD_ENDS = {
        STATUS_OFFSET,
        MAX_VIRTQUEUE_PAIRS_OFFSET,
        MTU_OFFSET,
        SPEED_OFFSET,
        DUPLEX_OFFSET,
        RSS_MAX_KEY_SIZE_OFFSET,
        RSS_MAX_INDIRECTION_TABLE_LENGTH_OFFSET,
        SUPPORTED_HASH_TYPES_OFFSET,
        BYTES
    };

    private static final int VIRTIO_NET_S_LINK_UP = 1;
    private static final int VIRTIO_NET_S_ANNOUNCE = 2;
    /** The largest there can be, so that the offer of an MTU never limits frames. */
    private static final int MTU = 0xFFFF;

    private DeviceConfigRegisters() {}

    /** Bytes from an offset to the end of the field that it lies in; 0 where there is none. */
    static int bytesLeft(int offset) {
        for (int end : FIELD_ENDS) {
            if (offset < end) {
                return end - offset;
            }
        }
        return 0;
    }

    /** Reads 1 to 8 bytes. */
    static long read(NetDevice device, long offset, int size) {
        if (offset < 0 || offset > BYTES - size) {
            return PciRegisters.allOnes(size);
        }
        byte[] bytes = bytes(device);
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (long) Byte.toUnsignedInt(bytes[(int) offset + i]) << i * Byte.SIZE;
        }
        return value;
    }

    /** The whole structure as the driver sees it. */
    static byte[] bytes(NetDevice device) {
        return bytes(device.config(), device.state().controls.mac(), device.isAnnouncing());
    }

    /** The whole structure of a device with a configuration, an address, and an announcement that is wanted or not. */
    static byte[] bytes(FunctionConfig config, byte[] mac, boolean announcing) {
        // An owner device is not connected to anything.
        int status = (config.isOwner() ? 0 : VIRTIO_NET_S_LINK_UP) | (announcing ? VIRTIO_NET_S_ANNOUNCE : 0);
        ByteBuffer bytes = ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(0, mac)
                .putShort(STATUS_OFFSET, (short) status)
                .putShort(MAX_VIRTQUEUE_PAIRS_OFFSET, (short) config.queuePairs())
                .putShort(MTU_OFFSET, (short) (VirtioFeature.NET_MTU.isIn(config.features()) ? MTU : 0));
        boolean rss = VirtioFeature.NET_RSS.isIn(config.features());
        if (rss || VirtioFeature.NET_HASH_REPORT.isIn(config.features())) {
            bytes.put(RSS_MAX_KEY_SIZE_OFFSET, (byte) HashParameters.MAX_KEY_BYTES)
                    .putShort(RSS_MAX_INDIRECTION_TABLE_LENGTH_OFFSET, (short) (rss ? RssConfig.MAX_TABLE_LENGTH : 0))
                    .putInt(SUPPORTED_HASH_TYPES_OFFSET, HashParameters.SUPPORTED_TYPES);
        }
        return bytes.array();
    }

    /** Whether a structure says that an announcement is wanted. */
    static boolean isAnnouncing(ByteBuffer structure) {
        return (structure.getShort(STATUS_OFFSET) & VIRTIO_NET_S_ANNOUNCE) != 0;
    }
}
