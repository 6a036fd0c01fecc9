// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One entry of the result of LEGACY_NOTIFY_INFO: a place where a 16-bit little-endian queue index notifies that queue.
 *
 * <table>
 *   <caption>Layout, little-endian, 16 bytes; the result has {@value #ENTRIES} entries</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>1</td><td>flags: 0 = end of the list, 1 = owner device, 2 = member device</td></tr>
 *   <tr><td>1</td><td>1</td><td>bar: 1 to 5</td></tr>
 *   <tr><td>2</td><td>6</td><td>padding</td></tr>
 *   <tr><td>8</td><td>8</td><td>offset in the BAR, a multiple of 2</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param flags unsigned 8 bits
 * @param bar unsigned 8 bits
 * @param offset unsigned 64 bits
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct
 *     virtio_pci_legacy_notify_info</a>
 */
public record LegacyNotifyInfo(int flags, int bar, long offset) {

    /** Bytes of an entry. */
    public static final int BYTES = 16;
    /** Entries of a result, the one that ends the list included. */
    public static final int ENTRIES = 4;

    /** Flags: this entry and all that follow say nothing. */
    public static final int FLAGS_END = 0;
    /** Flags: a BAR of the member. */
    public static final int FLAGS_MEMBER = 2;

    private static final int FLAGS_OFFSET = 0;
    private static final int BAR_OFFSET = 1;
    private static final int OFFSET_OFFSET = 8;

    /** Writes the 16 bytes at the position of a buffer and moves it on. */
    public void encode(ByteBuffer into) {
        into.slice(into.position(), BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0, 0)
                .put(FLAGS_OFFSET, (byte) flags)
                .put(BAR_OFFSET, (byte) bar)
                .putLong(OFFSET_OFFSET, offset);
        into.position(into.position() + BYTES);
    }

    /** Reads 16 bytes at the position of a buffer and moves it on. */
    public static LegacyNotifyInfo decode(ByteBuffer from) {
        ByteBuffer at = from.slice(from.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
        from.position(from.position() + BYTES);
        return new LegacyNotifyInfo(
                Byte.toUnsignedInt(at.get(FLAGS_OFFSET)),
                Byte.toUnsignedInt(at.get(BAR_OFFSET)),
                at.getLong(OFFSET_OFFSET));
    }
}
