// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.context.ContextOpcode;
import dev.ferry.virtio.context.WriteRecordCapability;
import dev.ferry.virtio.context.WriteRecordLayout;
import dev.ferry.virtio.driver.command.AdminExchange;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.nio.ByteBuffer;
import java.util.List;

/** Learns from the device itself which pages it writes. Called by one thread at a time. */
final class WriteRecordTracker implements DirtyTracker {

    /** Records of one answer. */
    static final int RECORDS_PER_READ = 1024;

    /** Answers for one range; each one gives a full load of records, or the device repeats itself for ever. */
    private static final int MOST_READS = 1 << 16;

    private final String deviceId;
    private final ContextOwner owner;
    private final int member;
    private final Capabilities capabilities;
    private long pageSize;
    private boolean recording;

    /** The tracker of a member that can record. */
    WriteRecordTracker(String deviceId, ContextOwner owner, int member, WriteRecordCapability capability) {
        this.deviceId = deviceId;
        this.owner = owner;
        this.member = member;
        this.capabilities = new Capabilities(
                "write records of the device",
                capability.pageSizes(),
                (int) Math.min(capability.maxRanges(), Integer.MAX_VALUE),
                capability.exact());
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void start(long wantedPageSize, List<IovaRange> ranges) throws DeviceException {
        if (recording) {
            throw new DeviceException(Errno.EBUSY, deviceId + " records its writes already");
        }
        long granted;
        try {
            granted = startAnew(wantedPageSize, ranges);
        } catch (AdminCommandException e) {
            throw e; // the device answered and records nothing
        } catch (DeviceException e) {
            stopAfter(e); // without an answer it may record; behind START in the queue this ends it
            throw e;
        }
        if (granted != wantedPageSize) {
            DeviceException refused = new DeviceException(
                    Errno.EINVAL,
                    "%s records pages of %s bytes, not of the %d that were asked for"
                            .formatted(deviceId, Long.toUnsignedString(granted), wantedPageSize));
            stopAfter(refused);
            throw refused;
        }
        pageSize = wantedPageSize;
        recording = true;
    }

    /** Nobody else lets the device record: what keeps it busy is left of a stop that failed, or of who died. */
    private long startAnew(long wantedPageSize, List<IovaRange> ranges) throws DeviceException {
        try {
            return requestStart(wantedPageSize, ranges);
        } catch (AdminCommandException e) {
            if (e.errno() != Errno.EBUSY) {
                throw e;
            }
            stop();
            return requestStart(wantedPageSize, ranges);
        }
    }

    private long requestStart(long wantedPageSize, List<IovaRange> ranges) throws DeviceException {
        return owner.channel()
                .read(AdminRequest.toMember(
                        ContextOpcode.V1_WRITE_RECORD_START.number(),
                        member,
                        WriteRecordLayout.START_BYTES + ranges.size() * WriteRecordLayout.RANGE_BYTES,
                        data -> {
                            data.putLong(wantedPageSize).putInt(ranges.size()).putInt(0).putLong(0);
                            ranges.forEach(range -> data.putLong(range.iova()).putLong(range.length()));
                        },
                        AdminRequest.space(WriteRecordLayout.START_RESULT_BYTES)))
                .getLong(0);
    }

    private void stopAfter(DeviceException first) {
        try {
            stop();
        } catch (DeviceException e) {
            first.addSuppressed(e);
        }
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        for (int read = 0; read < MOST_READS; read++) {
            ByteBuffer records = AdminRequest.space(RECORDS_PER_READ * WriteRecordLayout.RANGE_BYTES);
            AdminExchange.Answer answer = owner.channel().perform(AdminRequest.toMember(
                    ContextOpcode.V1_WRITE_RECORD_READ.number(),
                    member,
                    WriteRecordLayout.READ_BYTES,
                    data -> data.putLong(range.iova()).putLong(range.length()).putLong(0),
                    records));
            if ((answer.output() & WriteRecordLayout.OUTPUT_OVERFLOW) != 0) {
                throw new DeviceException(
                        Errno.EOVERFLOW, deviceId + " has lost its record of writes; every page counts as written");
            }
            int count = answer.output() & WriteRecordLayout.OUTPUT_COUNT_MASK;
            if (count > Math.min(answer.length(), records.capacity()) / WriteRecordLayout.RANGE_BYTES) {
                throw malformed("more records than it wrote");
            }
            for (int record = 0; record < count; record++) {
                mark(range, records.getLong(), records.getLong(), bitmap);
            }
            if ((answer.output() & WriteRecordLayout.OUTPUT_MORE) == 0) {
                return;
            }
            if (count == 0) {
                throw malformed("no records although there are more");
            }
        }
        throw malformed("no end of records");
    }

    private void mark(IovaRange range, long address, long length, ByteBuffer bitmap) throws DeviceException {
        long from = address - range.iova();
        if (from < 0 || length <= 0 || from + length < 0 || from + length > range.length() || from % pageSize != 0) {
            throw malformed("a record 0x%x + 0x%x outside the range that was asked for".formatted(address, length));
        }
        long last = (from + length - 1) / pageSize;
        for (long page = from / pageSize; page <= last; page++) {
            int at = bitmap.position() + (int) (page / Byte.SIZE);
            bitmap.put(at, (byte) (bitmap.get(at) | 1 << page % Byte.SIZE));
        }
    }

    private DeviceException malformed(String what) {
        return new DeviceException(Errno.EIO, "%s gives %s; its records cannot be trusted".formatted(deviceId, what));
    }

    @Override
    public void stop() throws DeviceException {
        recording = false;
        owner.channel().execute(AdminRequest.toMember(
                ContextOpcode.V1_WRITE_RECORD_STOP.number(), member, 0, data -> {}, AdminRequest.space(0)));
    }
}
