// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.Errno;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamInspection.Fault;
import dev.ferry.stream.StreamInspection.Part;
import dev.ferry.stream.StreamInspection.Record;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one stream to its end or its first fault and names what is in it; for one call of {@link #inspect}.
 *
 * <p>Memory is bounded by the largest record and by {@link #MOST_ITEMS}: of tables and bitmaps only the beginning is
 * written out.
 */
final class StreamInspector {
    private static final Logger LOG = LoggerFactory.getLogger(StreamInspector.class);

    /** The most records and parts that are listed; what follows is a fault, since a list must end somewhere. */
    static final int MOST_ITEMS = 1 << 18;

    static final String MORE_THAN_LISTED =
            "the stream has more than the " + MOST_ITEMS + " records and parts listed";

    private static final String UNKNOWN = "unknown";
    private static final int CHUNK_BYTES = 64 * 1024;

    private final ReadableByteChannel from;
    private final RecordRules rules;
    private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).limit(0);
    private final PayloadBuffer payload = new PayloadBuffer(ByteBuffer::allocate);
    private final List<Record> records = new ArrayList<>();
    private long offset;
    private int items;
    private OptionalInt seenImageTag = OptionalInt.empty();

    StreamInspector(ReadableByteChannel from, RecordRules rules) {
        this.from = from;
        this.rules = rules;
    }

    /** Reads the whole channel. */
    StreamInspection inspect() throws IOException {
        try {
            while (fill()) {
                inspectRecord();
            }
            if (seenImageTag.isEmpty()) {
                throw malformed(
                        offset,
                        offset == 0
                                ? "the stream is empty"
                                : "the stream has no DEVICE_DATA and no DEVICE_CONTEXT record");
            }
            return new StreamInspection(VirtiovfFormat.FORMAT_NAME, records, Optional.empty());
        } catch (StreamException e) {
            Fault fault = new Fault(e.offset(), e.getMessage());
            return new StreamInspection(VirtiovfFormat.FORMAT_NAME, records, Optional.of(fault));
        }
    }

    private void inspectRecord() throws IOException {
        long recordOffset = offset;
        RecordHeader header = readHeader(recordOffset);
        List<Part> parts = new ArrayList<>();
        try {
            countItems(1, recordOffset);
            switch (rules.judge(header, recordOffset, imageTag(header))) {
                case IMAGE -> {
                    boolean whole = readPayload(header, true);
                    describe(recordOffset, parts, imageDescriber(header, whole));
                    requireWhole(whole, header, recordOffset);
                    seenImageTag = OptionalInt.of(header.tag());
                }
                case RECORD_TYPE -> {
                    requireWhole(readPayload(header, true), header, recordOffset);
                    describeByType(header, recordOffset, parts);
                }
                case SKIP -> requireWhole(readPayload(header, false), header, recordOffset);
            }
        } finally {
            records.add(new Record(recordOffset, header, nameOf(header), parts));
        }
        countItems(parts.size(), recordOffset);
    }

    /** Every image is one for some device; those of one stream are all of the kind of the first. */
    private int imageTag(RecordHeader header) {
        return seenImageTag.orElse(
                RecordHeader.isImageTag(header.tag()) ? header.tag() : RecordHeader.TAG_DEVICE_DATA);
    }

    private Describer imageDescriber(RecordHeader header, boolean whole) {
        return header.tag() == RecordHeader.TAG_DEVICE_CONTEXT
                ? new DeviceContextDescription(MOST_ITEMS - items, whole)::describe
                : new DevicePartsDescription(MOST_ITEMS - items, whole)::describe;
    }

    private RecordHeader readHeader(long recordOffset) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(RecordHeader.BYTES);
        while (header.hasRemaining() && fill()) {
            header.put(chunk.get());
            offset++;
        }
        if (header.hasRemaining()) {
            throw malformed(
                    recordOffset,
                    "a record header needs %d bytes but only %d are left"
                            .formatted(RecordHeader.BYTES, header.position()));
        }
        return RecordHeader.decode(header.flip());
    }

    /** Reads a payload as far as it is there, and keeps it where that is wanted; whether it was there to its end. */
    private boolean readPayload(RecordHeader header, boolean keep) throws IOException {
        int size = (int) header.size();
        int taken = 0;
        payload.clear();
        while (taken < size && fill()) {
            int count = Math.min(size - taken, chunk.remaining());
            if (keep) {
                payload.append(chunk, count, size);
            } else {
                chunk.position(chunk.position() + count);
            }
            taken += count;
            offset += count;
        }
        return taken == size;
    }

    private void requireWhole(boolean whole, RecordHeader header, long recordOffset) throws StreamException {
        if (!whole) {
            throw malformed(
                    recordOffset,
                    "the record has %d bytes of payload but only %d are left"
                            .formatted(header.size(), offset - recordOffset - RecordHeader.BYTES));
        }
    }

    /** What names the parts of a payload, as {@link RecordType#describe}. */
    private interface Describer {
        void describe(ByteBuffer bytes, List<Part> found) throws StreamException;
    }

    private void describeByType(RecordHeader header, long recordOffset, List<Part> parts) throws StreamException {
        Optional<RecordType> type = rules.types().find(header.tag());
        if (type.isEmpty()) {
            return; // It left while the payload was read; the record was acceptable when it came.
        }
        try {
            describe(recordOffset, parts, type.get()::describe);
        } catch (RuntimeException e) {
            throw malformed(recordOffset, "its record type failed to describe it: " + e);
        }
    }

    private void describe(long recordOffset, List<Part> parts, Describer describer) throws StreamException {
        long base = recordOffset + RecordHeader.BYTES;
        List<Part> found = new BoundedParts(MOST_ITEMS - items);
        try {
            describer.describe(payload.payload(), found);
        } catch (StreamException e) {
            throw e.shifted(base);
        } finally {
            for (Part part : found) {
                parts.add(new Part(
                        base + part.offset(),
                        part.type(),
                        part.name(),
                        part.flags(),
                        part.selector(),
                        part.length(),
                        part.value()));
            }
        }
    }

    private String nameOf(RecordHeader header) {
        if (RecordHeader.isImageTag(header.tag())) {
            return RecordHeader.imageName(header.tag());
        }
        try {
            return rules.types().find(header.tag()).map(RecordType::name).orElse(UNKNOWN);
        } catch (RuntimeException e) {
            LOG.warn("the record type of tag {} failed to give its name", Integer.toUnsignedString(header.tag()), e);
            return UNKNOWN;
        }
    }

    private void countItems(int more, long recordOffset) throws StreamException {
        items += more;
        if (items > MOST_ITEMS) {
            throw malformed(recordOffset, MORE_THAN_LISTED);
        }
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
