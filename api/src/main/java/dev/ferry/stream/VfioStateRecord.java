// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The records that a saved state of a Linux VFIO device is made of: a header, then {@code length} bytes. The kernel's
 * stream alone cannot carry more than the device's data, and has no mark of its end. The marks are those of QEMU's
 * migration streams.
 *
 * <table>
 *   <caption>Layout of the header, big-endian, 16 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>8</td><td>mark</td></tr>
 *   <tr><td>8</td><td>8</td><td>length of what follows, in bytes</td></tr>
 * </table>
 *
 * @see <a href="https://github.com/qemu/qemu/blob/v9.2.0/hw/vfio/migration.c">QEMU, hw/vfio/migration.c: {@code
 *     VFIO_MIG_FLAG_*}</a>
 */
public enum VfioStateRecord {
    /** Bytes of the kernel's data descriptor; any number of such records. */
    DATA(0xFFFFFFFF_EF100004L),
    /** The PCI configuration space; once for a PCI device, behind all data, and never for another. */
    CONFIG(0xFFFFFFFF_EF100002L),
    /** Length 0: all was said. */
    END(0xFFFFFFFF_EF100001L);

    /** Offset of the mark in a header. */
    public static final int MARK = 0;

    /** Offset of the length in a header. */
    public static final int LENGTH = 8;

    /** Bytes of a header. */
    public static final int HEADER_BYTES = 16;

    private final long mark;

    VfioStateRecord(long mark) {
        this.mark = mark;
    }

    /** The 64 bits that such a record begins with. */
    public long mark() {
        return mark;
    }

    /** Writes a header at a position of a buffer, which keeps its own position; its byte order does not matter. */
    public void putHeader(ByteBuffer into, int at, long length) {
        ByteBuffer target = into.duplicate().order(ByteOrder.BIG_ENDIAN);
        target.putLong(at + MARK, mark);
        target.putLong(at + LENGTH, length);
    }

    /** The record that a mark begins; empty for bytes that are none. */
    public static Optional<VfioStateRecord> ofMark(long mark) {
        for (VfioStateRecord record : values()) {
            if (record.mark == mark) {
                return Optional.of(record);
            }
        }
        return Optional.empty();
    }
}
