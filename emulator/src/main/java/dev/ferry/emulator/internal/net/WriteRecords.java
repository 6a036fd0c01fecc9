// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.internal.member.WriteRecording.Records;
import dev.ferry.emulator.internal.memory.PageLog;
import dev.ferry.emulator.internal.memory.PageTracker;
import dev.ferry.virtio.context.WriteRecordCapability;
import java.util.ArrayList;
import java.util.List;

/**
 * The pages that the device writes: asked for by its host (as an IOMMU would tell) or by write record commands, never
 * by both at a time. Guarded by the function's lock: a write is noted before it is done, and nobody asks in between.
 *
 * <p>A ring is recorded whole when work on it begins, so the log is not exact.
 */
final class WriteRecords implements DmaSpace.WriteObserver {

    /** What can be recorded; every second page is a record at worst. */
    static final WriteRecordCapability CAPABILITY = new WriteRecordCapability(
            PageTracker.PAGE_SIZES, PageTracker.MAX_RANGES, PageLog.MOST_PAGES / 2, false);

    private final PageTracker tracker;

    WriteRecords(String device) {
        tracker = new PageTracker(device, "tracking of the emulated IOMMU", false);
    }

    /** The same as the host asks for it. */
    PageTracker tracker() {
        return tracker;
    }

    boolean isStarted() {
        return tracker.logOrNull() != null;
    }

    void start(long pageSize, List<IovaRange> ranges) {
        tracker.record(pageSize, ranges);
    }

    void stop() {
        tracker.stop();
    }

    @Override
    public void writing(long iova, int length) {
        tracker.written(iova, length);
    }

    /** See {@link dev.ferry.emulator.internal.member.WriteRecording#read}; the log is never lost. */
    Records read(IovaRange range, int most, boolean peek) {
        PageLog log = tracker.logOrNull();
        // Pages that lie only partly in the range are left for one that has them whole.
        long from = range.iova() + log.pageSize() - 1 & -log.pageSize();
        long end = range.end() & -log.pageSize();
        List<IovaRange> records = new ArrayList<>();
        IovaRange run = log.nextRunOrNull(from, end);
        while (run != null && records.size() < most) {
            records.add(run);
            run = log.nextRunOrNull(run.end(), end);
        }
        if (!peek) {
            records.forEach(log::clear);
        }
        return new Records(records, run != null, false);
    }
}
