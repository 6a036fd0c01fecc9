// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.RecordHeader;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Queues images of one device as records: the image first, then what the deployed record types add.
 *
 * <p>The device writes behind the space for the header, so a record is copied once, into the reader's buffer. A buffer
 * that was read is kept for the next image, as the kernel's driver keeps it; one that the device failed to fill is not,
 * because a device that answers late may still write into it. For one session and one caller at a time.
 */
final class VirtiovfEncoder implements RecordEncoder {

    private record Queued(ByteBuffer bytes, boolean reusable) {}

    private final RecordDevice device;
    private final RecordRules rules;
    private final Deque<Queued> queue = new ArrayDeque<>();
    private ByteBuffer spent = ByteBuffer.allocate(0);
    private long queuedBytes;
    private long readBytes;

    VirtiovfEncoder(RecordDevice device, RecordRules rules) {
        this.device = device;
        this.rules = rules;
    }

    @Override
    public long capture() throws DeviceException {
        List<Queued> image = new ArrayList<>();
        image.add(new Queued(captureImage(), true));
        for (RecordTypes.Deployed deployed : rules.types().serving()) {
            addRecord(deployed, image);
        }
        long bytes = image.stream().mapToLong(entry -> entry.bytes().remaining()).sum();
        queue.addAll(image);
        queuedBytes += bytes;
        return bytes;
    }

    private ByteBuffer captureImage() throws DeviceException {
        long size = device.imageSize();
        requireAcceptable(size, RecordHeader.imageName(device.imageTag()));
        ByteBuffer record = takeBuffer((int) size + RecordHeader.BYTES);
        device.captureImage(record.position(RecordHeader.BYTES));
        int length = record.position() - RecordHeader.BYTES;
        if (length == 0) {
            throw new DeviceException(Errno.EINVAL, "the device gave an empty image");
        }
        record.flip();
        new RecordHeader(length, 0, device.imageTag()).encode(record);
        return record.rewind();
    }

    private void addRecord(RecordTypes.Deployed deployed, List<Queued> image) throws DeviceException {
        Optional<ByteBuffer> payload;
        int flags;
        try {
            payload = deployed.type().save(device);
            flags = deployed.type().flags();
        } catch (RuntimeException e) {
            throw RecordTypes.broken(deployed.tag(), "save", e);
        }
        if (payload.isEmpty()) {
            return;
        }
        ByteBuffer bytes = payload.get().slice();
        requireAcceptable(bytes.remaining(), "tag " + deployed.tagText());
        ByteBuffer header = ByteBuffer.allocate(RecordHeader.BYTES);
        new RecordHeader(bytes.remaining(), flags, deployed.tag()).encode(header);
        image.add(new Queued(header.flip(), false));
        image.add(new Queued(bytes, false));
    }

    private void requireAcceptable(long size, String record) throws DeviceException {
        if (size < 0 || size > rules.maxRecordBytes()) {
            throw new DeviceException(
                    Errno.ENOMEM,
                    "the %s record would need %d bytes but the largest is %d (max.record.bytes of %s)"
                            .formatted(record, size, rules.maxRecordBytes(), VirtiovfConfiguration.PID));
        }
    }

    private ByteBuffer takeBuffer(int bytes) {
        ByteBuffer taken = spent.capacity() >= bytes ? spent : ByteBuffer.allocateDirect(bytes);
        spent = ByteBuffer.allocate(0);
        return taken.clear().limit(bytes);
    }

    @Override
    public int read(ByteBuffer into) {
        int moved = 0;
        while (into.hasRemaining() && !queue.isEmpty()) {
            ByteBuffer from = queue.peek().bytes();
            int count = Math.min(from.remaining(), into.remaining());
            into.put(into.position(), from, from.position(), count);
            into.position(into.position() + count);
            from.position(from.position() + count);
            moved += count;
            if (!from.hasRemaining()) {
                retire(queue.remove());
            }
        }
        queuedBytes -= moved;
        readBytes += moved;
        return moved;
    }

    private void retire(Queued entry) {
        if (entry.reusable() && entry.bytes().capacity() > spent.capacity()) {
            spent = entry.bytes();
        }
    }

    @Override
    public long queuedBytes() {
        return queuedBytes;
    }

    @Override
    public long readBytes() {
        return readBytes;
    }
}
