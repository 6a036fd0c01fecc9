// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDecoder;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Takes a stream in any segmentation and hands over each record when its last byte is there.
 *
 * <p>A payload that lies whole in the incoming buffer is handed over in place; only one that is split is collected. For
 * one session and one caller at a time.
 */
final class VirtiovfDecoder implements RecordDecoder {

    private final RecordDevice device;
    private final RecordRules rules;
    private final ByteBuffer headerBytes = ByteBuffer.allocate(RecordHeader.BYTES);
    private PayloadBuffer payload = new PayloadBuffer(ByteBuffer::allocateDirect);

    /** The record whose payload is awaited; null while its header is incomplete. */
    private RecordHeader header;

    private RecordRules.Treatment treatment;
    private long skipped;
    private long recordOffset;
    private long offset;
    private boolean imageLoaded;
    private boolean failed;

    VirtiovfDecoder(RecordDevice device, RecordRules rules) {
        this.device = device;
        this.rules = rules;
    }

    @Override
    public void write(ByteBuffer from) throws DeviceException {
        requireAlive();
        boolean done = false;
        try {
            while (from.hasRemaining()) {
                if (header == null) {
                    takeHeader(from);
                } else {
                    takePayload(from);
                }
            }
            done = true;
        } finally {
            if (!done) {
                failed = true;
                payload = null;
            }
        }
    }

    private void takeHeader(ByteBuffer from) throws DeviceException {
        if (headerBytes.position() == 0) {
            recordOffset = offset;
        }
        int count = Math.min(headerBytes.remaining(), from.remaining());
        headerBytes.put(headerBytes.position(), from, from.position(), count);
        headerBytes.position(headerBytes.position() + count);
        consume(from, count);
        if (headerBytes.hasRemaining()) {
            return;
        }
        header = RecordHeader.decode(headerBytes.flip());
        headerBytes.clear();
        treatment = rules.judge(header, recordOffset, device.imageTag());
        if (header.size() == 0) {
            finish(ByteBuffer.allocate(0));
        }
    }

    private void takePayload(ByteBuffer from) throws DeviceException {
        int size = (int) header.size();
        if (treatment == RecordRules.Treatment.SKIP) {
            skip(from, size);
        } else if (payload.size() == 0 && from.remaining() >= size) {
            ByteBuffer inPlace = from.slice(from.position(), size);
            consume(from, size);
            finish(inPlace);
        } else {
            collect(from, size);
        }
    }

    private void skip(ByteBuffer from, int size) {
        int count = (int) Math.min(size - skipped, from.remaining());
        skipped += count;
        consume(from, count);
        if (skipped == size) {
            nextRecord();
        }
    }

    private void collect(ByteBuffer from, int size) throws DeviceException {
        int count = Math.min(size - payload.size(), from.remaining());
        payload.append(from, count, size);
        offset += count;
        if (payload.size() == size) {
            finish(payload.payload());
        }
    }

    private void consume(ByteBuffer from, int count) {
        from.position(from.position() + count);
        offset += count;
    }

    private void finish(ByteBuffer bytes) throws DeviceException {
        switch (treatment) {
            case IMAGE -> {
                device.loadImage(bytes);
                imageLoaded = true;
            }
            case RECORD_TYPE -> loadRecord(bytes);
            case SKIP -> {
                // An empty record that nobody knows: there is nothing to throw away.
            }
        }
        nextRecord();
    }

    /** The type may have left since the header came; then the record is treated as if it never had been there. */
    private void loadRecord(ByteBuffer bytes) throws DeviceException {
        Optional<RecordType> type = rules.types().find(header.tag());
        if (type.isEmpty()) {
            if (header.isOptional()) {
                return;
            }
            throw RecordRules.unknownMandatory(header, recordOffset);
        }
        try {
            type.get().load(bytes, device);
        } catch (StreamException e) {
            throw e.shifted(recordOffset + RecordHeader.BYTES);
        } catch (RuntimeException e) {
            throw RecordTypes.broken(header.tag(), "load", e);
        }
    }

    private void nextRecord() {
        header = null;
        skipped = 0;
        payload.clear();
    }

    @Override
    public void requireComplete() throws DeviceException {
        requireAlive();
        if (header != null || headerBytes.position() > 0) {
            String missing = header == null
                    ? "%d of the %d bytes of its header".formatted(headerBytes.remaining(), RecordHeader.BYTES)
                    : "%d of its %d bytes".formatted(
                            header.size() - (offset - recordOffset - RecordHeader.BYTES), header.size());
            throw new StreamException(
                    recordOffset, Errno.EINVAL, "the stream ends within a record: missing are " + missing);
        }
        if (!imageLoaded) {
            throw new StreamException(
                    offset,
                    Errno.EINVAL,
                    "the stream ends without any %s record"
                            .formatted(RecordHeader.imageName(device.imageTag())));
        }
    }

    private void requireAlive() throws DeviceException {
        if (failed) {
            throw new DeviceException(Errno.ENODEV, "the stream was refused before; reset the device to load again");
        }
    }
}
