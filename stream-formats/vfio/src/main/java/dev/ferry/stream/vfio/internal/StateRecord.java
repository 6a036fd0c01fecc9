// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.vfio.internal;

import java.util.Optional;

/**
 * The records of a saved state. A header of 16 bytes, big-endian, then {@code length} bytes; the README of
 * dev.ferry.vfio.backend, "Saved state".
 *
 * <pre>
 * offset size field
 * 0      8    mark
 * 8      8    length of what follows, in bytes
 * </pre>
 */
enum StateRecord {
    /** Bytes of the kernel's data descriptor; any number of such records. */
    DATA(0xFFFFFFFF_EF100004L, 0, Long.MAX_VALUE),
    /** The PCI configuration space; at most once, behind all data. */
    CONFIG(0xFFFFFFFF_EF100002L, ConfigRegister.HEADER_BYTES, ConfigRegister.MOST_BYTES),
    /** All was said. */
    END(0xFFFFFFFF_EF100001L, 0, 0);

    static final int MARK = 0;
    static final int LENGTH = 8;
    static final int HEADER_BYTES = 16;

    private final long mark;
    private final long least;
    private final long most;

    StateRecord(long mark, long least, long most) {
        this.mark = mark;
        this.least = least;
        this.most = most;
    }

    long mark() {
        return mark;
    }

    /** Whether a record can have so many bytes; a number beyond 63 bits comes as a negative one. */
    boolean mayHave(long length) {
        return length >= least && length <= most;
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
