// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.internal.member.WriteRecording.Records;
import dev.ferry.virtio.context.WriteRecordCapability;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The log of the pages that the device writes. Ranges of pages are merged, and there is a most of them: what is more is
 * an overflow. Guarded by the function's lock.
 *
 * <p>A ring is recorded whole when work on it begins, so the log is not exact.
 */
final class WriteRecords implements DmaSpace.WriteObserver {

    private static final long PAGE_4K = 1L << 12;
    private static final long PAGE_64K = 1L << 16;
    private static final long PAGE_2M = 1L << 21;
    private static final int MAX_RANGES = 256;
    private static final int MAX_RECORDS = 16384;

    /** What can be recorded; the bit of a page size is the page size. */
    static final WriteRecordCapability CAPABILITY =
            new WriteRecordCapability(PAGE_4K | PAGE_64K | PAGE_2M, MAX_RANGES, MAX_RECORDS, false);

    /** First address to end of the ranges that are recorded; null while it does not record. */
    private NavigableMap<Long, Long> ranges;
    /** First address to end of what was written: page aligned, within the ranges, apart from each other. */
    private final NavigableMap<Long, Long> written = new TreeMap<>();

    private long pageSize;
    private boolean overflow;

    boolean isStarted() {
        return ranges != null;
    }

    void start(long newPageSize, List<IovaRange> newRanges) {
        pageSize = newPageSize;
        overflow = false;
        written.clear();
        ranges = new TreeMap<>();
        newRanges.forEach(range -> ranges.put(range.iova(), range.end()));
    }

    void stop() {
        ranges = null;
        written.clear();
        overflow = false;
    }

    @Override
    public void writing(long iova, int length) {
        if (ranges == null || length == 0 || overflow) {
            return;
        }
        long from = iova & -pageSize;
        long to = iova + length - 1 | pageSize - 1;
        Long first = ranges.floorKey(from);
        for (Map.Entry<Long, Long> range : ranges.subMap(first == null ? from : first, true, to, true).entrySet()) {
            long start = Math.max(from, range.getKey());
            long end = Math.min(to + 1, range.getValue());
            if (start < end) {
                add(start, end);
            }
        }
    }

    private void add(long start, long end) {
        Map.Entry<Long, Long> before = written.floorEntry(start);
        if (before != null && before.getValue() >= end) {
            return; // the usual case: the page is written again
        }
        long from = start;
        long to = end;
        if (before != null && before.getValue() >= start) {
            from = before.getKey();
        }
        for (Map.Entry<Long, Long> next = written.ceilingEntry(from);
                next != null && next.getKey() <= to;
                next = written.ceilingEntry(from)) {
            to = Math.max(to, next.getValue());
            written.remove(next.getKey());
        }
        written.put(from, to);
        if (written.size() > MAX_RECORDS) {
            written.clear();
            overflow = true;
        }
    }

    /** See {@link dev.ferry.emulator.internal.member.WriteRecording#read}. */
    Records read(IovaRange range, int most, boolean peek) {
        if (overflow) {
            overflow = peek;
            return new Records(List.of(), false, true);
        }
        // Pages that lie only partly in the range are left for one that has them whole.
        long from = range.iova() + pageSize - 1 & -pageSize;
        long to = range.end() & -pageSize;
        List<IovaRange> records = new ArrayList<>();
        boolean more = false;
        Long first = written.floorKey(from);
        for (Map.Entry<Long, Long> entry :
                written.tailMap(first == null ? from : first, true).entrySet()) {
            long start = Math.max(from, entry.getKey());
            long end = Math.min(to, entry.getValue());
            if (entry.getKey() >= to) {
                break;
            }
            if (start < end) {
                more = records.size() == most;
                if (more) {
                    break;
                }
                records.add(new IovaRange(start, end - start));
            }
        }
        if (!peek) {
            records.forEach(this::clear);
        }
        return new Records(records, more, false);
    }

    private void clear(IovaRange record) {
        Map.Entry<Long, Long> entry = written.floorEntry(record.iova());
        written.remove(entry.getKey());
        if (entry.getKey() < record.iova()) {
            written.put(entry.getKey(), record.iova());
        }
        if (entry.getValue() > record.end()) {
            written.put(record.end(), entry.getValue());
        }
    }
}
