// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A dirty tracker in memory that notes every breach of what a tracker may rely on. Thread-safe. */
public final class FakeTracker implements DirtyTracker {

    public final List<String> breaches = new CopyOnWriteArrayList<>();
    public volatile long pageSizes = 4096;
    public volatile int maxRanges = 256;
    public volatile boolean exact = true;
    public volatile boolean loseRecordOnce;
    public volatile int reports;
    public volatile int starts;
    public volatile long startedPageSize;
    public volatile List<IovaRange> startedRanges = List.of();

    /** What happens at each call; throws to fail it. */
    public volatile LiveDriver.Interceptor interceptor = LiveDriver.Interceptor.NONE;

    /** What is written just before each report. */
    public volatile Runnable beforeReport = () -> {};

    private final String name;
    private final BitSet written = new BitSet();
    private boolean recording;

    public FakeTracker(String name) {
        this.name = name;
    }

    /** Somebody writes some bytes. */
    public synchronized void write(long address, long length) {
        if (recording) {
            written.set((int) (address / 512), (int) ((address + length + 511) / 512));
        }
    }

    public synchronized boolean isRecording() {
        return recording;
    }

    @Override
    public Capabilities capabilities() {
        interceptor.callUnchecked(name, "tracker capabilities");
        return new Capabilities("a bit set", pageSizes, maxRanges, exact);
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        interceptor.call(name, "tracker start");
        synchronized (this) {
            starts++;
            require(!recording, "started twice");
            require((pageSizes & pageSize) != 0 && Long.bitCount(pageSize) == 1, "page size " + pageSize);
            require(!ranges.isEmpty() && ranges.size() <= maxRanges, ranges.size() + " ranges");
            long end = 0;
            for (IovaRange range : ranges) {
                require(range.iova() >= end, "not ascending: " + ranges);
                require(range.iova() % pageSize == 0 && range.length() % pageSize == 0, "not aligned: " + range);
                end = range.end();
            }
            recording = true;
            startedPageSize = pageSize;
            startedRanges = new ArrayList<>(ranges);
            written.clear();
        }
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        interceptor.call(name, "tracker report");
        beforeReport.run();
        synchronized (this) {
            reports++;
            if (!recording) {
                throw new DeviceException(Errno.EINVAL, "does not record");
            }
            require(
                    startedRanges.stream().anyMatch(in -> in.iova() <= range.iova() && range.end() <= in.end()),
                    "not recorded: " + range);
            require(
                    range.iova() % startedPageSize == 0 && range.length() % startedPageSize == 0,
                    "not aligned: " + range);
            long pages = range.length() / startedPageSize;
            require(bitmap.remaining() >= (pages + 63) / 64 * 8, "too small a bitmap: " + bitmap);
            if (loseRecordOnce) {
                loseRecordOnce = false;
                written.clear();
                throw new DeviceException(Errno.EOVERFLOW, "the record was lost");
            }
            report(range, bitmap, pages);
        }
    }

    private void report(IovaRange range, ByteBuffer bitmap, long pages) {
        int units = (int) (startedPageSize / 512);
        for (int page = 0; page < pages; page++) {
            int from = (int) (range.iova() / 512) + page * units;
            int set = written.nextSetBit(from);
            if (set >= 0 && set < from + units) {
                int at = bitmap.position() + page / 8;
                bitmap.put(at, (byte) (bitmap.get(at) | 1 << page % 8));
                written.clear(from, from + units);
            }
        }
    }

    @Override
    public void stop() throws DeviceException {
        try {
            interceptor.call(name, "tracker stop");
        } finally {
            synchronized (this) {
                recording = false;
                written.clear();
            }
        }
    }

    private void require(boolean condition, String breach) {
        if (!condition) {
            breaches.add(name + ": " + breach);
        }
    }
}
