// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import java.util.List;
import java.util.Optional;

/**
 * What a saved stream holds, up to its end or its first fault. Immutable.
 *
 * @param format name of the format that read it
 * @param records in the order of the stream; the last may be the one with the fault
 * @param fault empty for a stream that can be loaded as far as its form goes
 */
public record StreamInspection(String format, List<Record> records, Optional<Fault> fault) {

    /** Copies the list. */
    public StreamInspection {
        records = List.copyOf(records);
    }

    /** Whether the stream is well-formed to its end. */
    public boolean isValid() {
        return fault.isEmpty();
    }

    /**
     * One record.
     *
     * @param offset of its header in the stream
     * @param header as it stands
     * @param name of the tag, or {@code unknown}
     * @param parts with offsets that count from the start of the stream; empty for a record of an unknown tag
     */
    public record Record(long offset, RecordHeader header, String name, List<Part> parts) {
        /** Copies the list. */
        public Record {
            parts = List.copyOf(parts);
        }
    }

    /**
     * One part of a payload; for DEVICE_DATA one device part of virtio 1.4, section "Device parts".
     *
     * @param offset of the part's header
     * @param type number of the part's type
     * @param name of the type, or {@code unknown}
     * @param flags as they stand
     * @param selector the eight bytes as a little-endian number
     * @param length of the value in bytes
     * @param value for people; empty where there is nothing to say
     */
    public record Part(long offset, int type, String name, int flags, long selector, long length, String value) {}

    /**
     * Where a stream is malformed.
     *
     * @param offset from the start of the stream
     * @param message one sentence
     */
    public record Fault(long offset, String message) {}
}
