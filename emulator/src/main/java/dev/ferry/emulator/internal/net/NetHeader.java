// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header before each frame in a buffer. Reused from frame to frame; guarded by the function's lock.
 *
 * <table>
 *   <caption>Layout, little-endian, 12 bytes, with VIRTIO_NET_F_HASH_REPORT 20; of a legacy driver without
 *       VIRTIO_NET_F_MRG_RXBUF 10</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>10</td><td>flags, gso_type, hdr_len, gso_size, csum_start, csum_offset: 0, no offloads are
 *       offered</td></tr>
 *   <tr><td>10</td><td>2</td><td>num_buffers</td></tr>
 *   <tr><td>12</td><td>4</td><td>hash_value</td></tr>
 *   <tr><td>16</td><td>2</td><td>hash_report</td></tr>
 *   <tr><td>18</td><td>2</td><td>padding_reserved</td></tr>
 * </table>
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct virtio_net_hdr</a>
 */
final class NetHeader {

    private static final int BYTES_WITHOUT_NUM_BUFFERS = 10;
    private static final int BYTES_WITHOUT_HASH = 12;
    private static final int BYTES_WITH_HASH = 20;
    private static final int NUM_BUFFERS_OFFSET = 10;
    private static final int HASH_VALUE_OFFSET = 12;
    private static final int HASH_REPORT_OFFSET = 16;

    private final ByteBuffer bytes = ByteBuffer.allocate(BYTES_WITH_HASH).order(ByteOrder.LITTLE_ENDIAN);

    /** Bytes of the header with the features that were negotiated. */
    static int bytes(VirtioState state) {
        if (state.has(VirtioFeature.NET_HASH_REPORT)) {
            return BYTES_WITH_HASH;
        }
        return state.has(VirtioFeature.VERSION_1) || state.has(VirtioFeature.NET_MRG_RXBUF)
                ? BYTES_WITHOUT_HASH
                : BYTES_WITHOUT_NUM_BUFFERS;
    }

    /** The header of a frame in a number of buffers. */
    ByteBuffer of(int buffers, ToeplitzHash hash) {
        return bytes.putShort(NUM_BUFFERS_OFFSET, (short) buffers)
                .putInt(HASH_VALUE_OFFSET, hash.value())
                .putShort(HASH_REPORT_OFFSET, (short) hash.report());
    }
}
