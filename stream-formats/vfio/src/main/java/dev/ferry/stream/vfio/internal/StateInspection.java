// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.vfio.internal;

import dev.ferry.device.Errno;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamInspection.Fault;
import dev.ferry.stream.StreamInspection.Part;
import dev.ferry.stream.StreamInspection.Record;
import dev.ferry.stream.VfioStateRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads one saved state to its end or its first fault; for one call of {@link #inspect}. Memory is bounded by the chunk
 * and by {@link #MOST_RECORDS}, whatever lengths the stream says.
 */
final class StateInspection {
    /** The most records that are listed; what follows is a fault, since a list must end somewhere. */
    static final int MOST_RECORDS = 1 << 18;

    private static final int CHUNK_BYTES = 64 << 10;

    private final ReadableByteChannel from;
    private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).limit(0);
    private final List<Record> records = new ArrayList<>();
    private VfioStateRecord last;
    private long offset;

    StateInspection(ReadableByteChannel from) {
        this.from = from;
    }

    /** Reads the whole channel. */
    StreamInspection inspect() throws IOException {
        try {
            while (fill()) {
                inspectRecord();
            }
            if (last != VfioStateRecord.END) {
                throw malformed(offset, offset == 0
                        ? "the stream is empty"
                        : "the stream ends without an END record, so a part of it is missing");
            }
            return new StreamInspection(VfioStateReader.NAME, records, Optional.empty());
        } catch (StreamException e) {
            return new StreamInspection(
                    VfioStateReader.NAME, records, Optional.of(new Fault(e.offset(), e.getMessage())));
        }
    }

    private void inspectRecord() throws IOException {
        long begin = offset;
        if (records.size() == MOST_RECORDS) {
            throw malformed(begin, "the stream has more than the " + MOST_RECORDS + " records listed");
        }
        if (last == VfioStateRecord.END) {
            throw malformed(begin, "the stream goes on after its END record");
        }
        ByteBuffer header = ByteBuffer.allocate(VfioStateRecord.HEADER_BYTES);
        take(VfioStateRecord.HEADER_BYTES, header);
        requireWhole(begin, "a record header", VfioStateRecord.HEADER_BYTES, header.position());
        long mark = header.getLong(VfioStateRecord.MARK);
        long length = header.getLong(VfioStateRecord.LENGTH);
        VfioStateRecord record = VfioStateRecord.ofMark(mark)
                .orElseThrow(() -> malformed(begin, "0x%016x is the mark of no record".formatted(mark)));
        List<Part> parts = new ArrayList<>();
        try {
            requireAllowed(record, length, begin);
            inspectPayload(record, length, parts);
        } finally {
            records.add(new Record(begin, new RecordHeader(length, 0, (int) mark), record.name(), parts));
        }
        last = record;
    }

    private void requireAllowed(VfioStateRecord record, long length, long begin) throws StreamException {
        if (!mayHave(record, length)) {
            throw malformed(begin, "the %s record of %s bytes cannot be"
                    .formatted(record, Long.toUnsignedString(length)));
        }
        if (last == VfioStateRecord.CONFIG && record != VfioStateRecord.END) {
            throw malformed(begin, "a %s record must not follow the CONFIG record".formatted(record));
        }
    }

    /** Whether a record can have so many bytes; a number beyond 63 bits comes as a negative one. */
    private static boolean mayHave(VfioStateRecord record, long length) {
        return switch (record) {
            case DATA -> length >= 0;
            case CONFIG -> length >= ConfigRegister.HEADER_BYTES && length <= ConfigRegister.MOST_BYTES;
            case END -> length == 0;
        };
    }

    private void inspectPayload(VfioStateRecord record, long length, List<Part> parts) throws IOException {
        long begin = offset;
        ByteBuffer kept = ByteBuffer.allocate(record == VfioStateRecord.CONFIG ? (int) length : 0);
        long taken = take(length, kept);
        if (record == VfioStateRecord.CONFIG) {
            for (ConfigRegister register : ConfigRegister.values()) {
                if (register.isIn(kept.position())) {
                    parts.add(register.part(kept, begin));
                }
            }
        }
        requireWhole(begin - VfioStateRecord.HEADER_BYTES, "a " + record + " record", length, taken);
    }

    private static void requireWhole(long begin, String what, long length, long taken) throws StreamException {
        if (taken < length) {
            throw malformed(begin, "%s of %d bytes has only %d in the stream".formatted(what, length, taken));
        }
    }

    /** Takes bytes as far as they are there, keeps those that fit, and gives how many were taken. */
    private long take(long count, ByteBuffer kept) throws IOException {
        long taken = 0;
        while (taken < count && fill()) {
            int now = (int) Math.min(count - taken, chunk.remaining());
            int keep = Math.min(now, kept.remaining());
            kept.put(kept.position(), chunk, chunk.position(), keep).position(kept.position() + keep);
            chunk.position(chunk.position() + now);
            taken += now;
            offset += now;
        }
        return taken;
    }

    /** Makes sure that the chunk holds a byte; false at the end of the channel. */
    private boolean fill() throws IOException {
        if (chunk.hasRemaining()) {
            return true;
        }
        chunk.clear();
        int count = from.read(chunk);
        chunk.flip();
        if (count == 0) {
            throw new IOException("the channel gives no bytes for now; a stream is inspected from a blocking channel");
        }
        return count > 0;
    }

    private static StreamException malformed(long offset, String message) {
        return new StreamException(offset, Errno.EINVAL, message);
    }
}
