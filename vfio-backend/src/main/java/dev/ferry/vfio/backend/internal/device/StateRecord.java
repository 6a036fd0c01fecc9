// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The records that the bytes of a session are made of, in both directions.
 *
 * <p>A header of 16 bytes, big-endian, then {@code length} bytes. The kernel's stream alone cannot carry more than the
 * device's data, and has no mark of its end. The marks are those of QEMU's migration streams.
 *
 * <pre>
 * offset size field
 * 0      8    mark
 * 8      8    length of what follows, in bytes
 * </pre>
 */
enum StateRecord {
    /** Bytes for the kernel's data descriptor; any number of such records. */
    DATA(0xFFFFFFFF_EF100004L),
    /** The PCI configuration space; once for a PCI device, behind all data, and never for another. */
    CONFIG(0xFFFFFFFF_EF100002L),
    /** Length 0: all was said. */
    END(0xFFFFFFFF_EF100001L);

    static final int MARK = 0;
    static final int LENGTH = 8;
    static final int HEADER_BYTES = 16;

    private final long mark;

    StateRecord(long mark) {
        this.mark = mark;
    }

    /** Writes a header at a position of a buffer, which keeps its own position. */
    void putHeader(ByteBuffer into, int at, long length) {
        ByteBuffer target = into.duplicate().order(ByteOrder.BIG_ENDIAN);
        target.putLong(at + MARK, mark);
        target.putLong(at + LENGTH, length);
    }

    /** The record that a mark begins; empty for bytes that are none. */
    static Optional<StateRecord> ofMark(long mark) {
        for (StateRecord record : values()) {
            if (record.mark == mark) {
                return Optional.of(record);
            }
        }
        return Optional.empty();
    }
}
