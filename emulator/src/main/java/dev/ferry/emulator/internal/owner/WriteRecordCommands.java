// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.internal.member.WriteRecording;
import dev.ferry.emulator.internal.memory.PageLog;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.context.WriteRecordCapability;
import dev.ferry.virtio.context.WriteRecordLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The commands that record which pages a member writes; {@link WriteRecordLayout} has their layouts. Guarded by the
 * lock of the owner device.
 */
final class WriteRecordCommands {

    /** Records of one answer: their memory must not follow what a driver claims to have space for. */
    private static final int MOST_RECORDS = 4096;

    private final MemberGroup members;

    /** Commands for members. */
    WriteRecordCommands(MemberGroup members) {
        this.members = members;
    }

    /** V1_WRITE_RECORD_CAP_QUERY. */
    AdminResult capability(long member, SubmittedCommand submitted) {
        submitted.putResult(recording(member).capability().encode());
        return AdminResult.SUCCESS;
    }

    /** V1_WRITE_RECORD_START. */
    AdminResult start(long member, SubmittedCommand submitted) {
        WriteRecording recording = recording(member);
        WriteRecordCapability capability = recording.capability();
        ByteBuffer data = submitted.data(WriteRecordLayout.START_BYTES);
        long pageSize = data.getLong(0);
        long count = Integer.toUnsignedLong(data.getInt(WriteRecordLayout.RANGE_COUNT_OFFSET));
        if (recording.isStarted()) {
            return Refusal.BUSY;
        }
        if (Long.bitCount(pageSize) != 1 || pageSize < WriteRecordLayout.LEAST_PAGE_SIZE || count == 0) {
            return Refusal.INVALID_FIELD;
        }
        if (count > capability.maxRanges()) {
            return AdminResult.of(AdminStatus.ENOSPC, AdminStatusQualifier.Q_NORESOURCE);
        }
        List<IovaRange> ranges = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            ByteBuffer range = submitted.data(
                    WriteRecordLayout.START_BYTES + (long) index * WriteRecordLayout.RANGE_BYTES,
                    WriteRecordLayout.RANGE_BYTES);
            if (!isRange(range, pageSize)) {
                return Refusal.INVALID_FIELD;
            }
            ranges.add(new IovaRange(range.getLong(0), range.getLong(WriteRecordLayout.LENGTH_OFFSET)));
        }
        if (overlap(ranges)) {
            return Refusal.INVALID_FIELD;
        }
        long chosen = choose(pageSize, capability.pageSizes());
        if (!PageLog.fits(chosen, ranges)) {
            return AdminResult.of(AdminStatus.ENOSPC, AdminStatusQualifier.Q_NORESOURCE);
        }
        recording.start(chosen, ranges);
        submitted.putResult(little(WriteRecordLayout.START_RESULT_BYTES).putLong(0, chosen));
        return AdminResult.SUCCESS;
    }

    /** Addresses beyond 63 bits count as an overflow: no memory of this device is there. */
    private static boolean isRange(ByteBuffer range, long pageSize) {
        long address = range.getLong(0);
        long length = range.getLong(WriteRecordLayout.LENGTH_OFFSET);
        return address >= 0
                && length > 0
                && address + length > 0
                && address % pageSize == 0
                && length % pageSize == 0;
    }

    private static boolean overlap(List<IovaRange> ranges) {
        List<IovaRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(IovaRange::iova));
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).iova() < sorted.get(i - 1).end()) {
                return true;
            }
        }
        return false;
    }

    /** The largest supported size that is not larger than asked for, or the smallest; the bit of a size is the size. */
    private static long choose(long asked, long supported) {
        long notLarger = supported & (asked | asked - 1);
        return notLarger == 0 ? Long.lowestOneBit(supported) : Long.highestOneBit(notLarger);
    }

    /** V1_WRITE_RECORD_STOP. */
    AdminResult stop(long member, SubmittedCommand submitted) {
        recording(member).stop();
        return AdminResult.SUCCESS;
    }

    /** V1_WRITE_RECORD_READ. */
    AdminResult read(long member, SubmittedCommand submitted) {
        WriteRecording recording = recording(member);
        if (!recording.isStarted()) {
            return AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_COMMAND);
        }
        ByteBuffer data = submitted.data(WriteRecordLayout.READ_BYTES);
        long address = data.getLong(0);
        long length = data.getLong(WriteRecordLayout.LENGTH_OFFSET);
        long space = submitted.resultSpace() / WriteRecordLayout.RANGE_BYTES;
        if (address < 0 || length <= 0 || address + length < 0 || space == 0) {
            return Refusal.INVALID_FIELD;
        }
        boolean peek = (data.getInt(WriteRecordLayout.READ_FLAGS_OFFSET) & WriteRecordLayout.FLAG_PEEK) != 0;
        put(submitted, recording.read(new IovaRange(address, length), (int) Math.min(space, MOST_RECORDS), peek));
        return AdminResult.SUCCESS;
    }

    private static void put(SubmittedCommand submitted, WriteRecording.Records read) {
        ByteBuffer result = little(read.records().size() * WriteRecordLayout.RANGE_BYTES);
        read.records().forEach(record -> result.putLong(record.iova()).putLong(record.length()));
        submitted.putResult(result.flip());
        submitted.putOutput(read.records().size()
                | (read.more() ? WriteRecordLayout.OUTPUT_MORE : 0)
                | (read.overflow() ? WriteRecordLayout.OUTPUT_OVERFLOW : 0));
    }

    private WriteRecording recording(long member) {
        return members.get(member).device().context().writeRecords();
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
