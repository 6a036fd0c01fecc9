// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.DriverCalls;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One dirty tracker, of a device or of the guest's processors, for the memory of one guest. One call at a time. */
public final class Tracker {

    /** Memory that one call asks about, so that a job can stop in between: its bits take 512 KiB at 4 KiB pages. */
    private static final long SLICE_BYTES = 16L << 30;

    /** The page size of most machines; a tracker that knows it is used with it. */
    static final long USUAL_PAGE_BYTES = 4096;

    private final String name;
    private final DirtyTracker tracker;
    private final DirtyTracker.Capabilities capabilities;
    private final Calls calls;
    private boolean started;

    /** The way into the code of a tracker. */
    @FunctionalInterface
    private interface Calls {
        void run(String what, Action action) throws MigrationException;
    }

    @FunctionalInterface
    private interface Action {
        void run() throws IOException;
    }

    private Tracker(String name, DirtyTracker tracker, DirtyTracker.Capabilities capabilities, Calls calls) {
        this.name = name;
        this.tracker = tracker;
        this.capabilities = capabilities;
        this.calls = calls;
    }

    /** The tracker of a device. */
    public static Tracker of(DriverCalls driver, DirtyTracker tracker) throws MigrationException {
        DirtyTracker.Capabilities capabilities =
                driver.call("asking what its dirty tracker can do", tracker::capabilities);
        return new Tracker(driver.device(), tracker, capabilities, (what, action) -> driver.call(what, () -> {
            action.run();
            return null;
        }));
    }

    /** The tracker of the guest's processors; empty when it has none. */
    public static Optional<Tracker> of(GuestCalls guest) throws MigrationException {
        Optional<DirtyTracker> tracker = guest.dirtyTracker();
        if (tracker.isEmpty()) {
            return Optional.empty();
        }
        DirtyTracker.Capabilities capabilities =
                guest.call("could not say what its dirty tracker can do", tracker.get()::capabilities);
        Calls calls = (what, action) -> guest.call("failed at " + what, () -> {
            action.run();
            return null;
        });
        return Optional.of(new Tracker("the guest's processors", tracker.get(), capabilities, calls));
    }

    /** Whose writes it tells. */
    public String name() {
        return name;
    }

    /** What it can do. */
    public DirtyTracker.Capabilities capabilities() {
        return capabilities;
    }

    /** The page size it is used with: 4 KiB where it can, else the next larger one it has, else its largest. */
    public long pageBytes() {
        long usual = capabilities.pageSizes() & -USUAL_PAGE_BYTES;
        return usual != 0 ? Long.lowestOneBit(usual) : Long.highestOneBit(capabilities.pageSizes());
    }

    /** Begins to record. */
    void start(List<IovaRange> memory) throws MigrationException {
        List<IovaRange> ranges = merged(aligned(memory, pageBytes()), capabilities.maxRanges());
        // Counted as started even if it fails: stopping it then does nothing.
        started = true;
        calls.run("the start of dirty tracking", () -> tracker.start(pageBytes(), ranges));
    }

    /**
     * Adds what was written since the last time.
     *
     * @param scratch where to put it first, when other trackers add to the bitmap at the same time: a direct buffer of
     *     {@link #scratchBytes} in which nothing is set, as nothing is afterwards
     * @return false when the record was lost: everything counts as written
     */
    boolean harvest(DirtyBitmap into, Optional<ByteBuffer> scratch, Gate gate) throws MigrationException {
        for (DirtyBitmap.Segment segment : into.segments()) {
            long slice = sliceBytes(into) / into.pageBytes();
            for (long page = 0; page < segment.bits().size(); page += slice) {
                gate.check();
                if (!harvest(into, segment, page, Math.min(slice, segment.bits().size() - page), scratch)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whole words of the bitmap, also of one with very large pages. */
    private static long sliceBytes(DirtyBitmap bitmap) {
        return Math.max(SLICE_BYTES, Long.SIZE * bitmap.pageBytes());
    }

    /** How much space it needs for what it reports at a time. */
    int scratchBytes(DirtyBitmap into) {
        long longest = into.segments().stream()
                .mapToLong(segment -> segment.bits().size() * into.pageBytes())
                .max()
                .orElse(0);
        // One page more at each end, where its pages are larger.
        return Math.toIntExact(PageBits.bytesFor(Math.min(longest, sliceBytes(into)) / pageBytes() + 2));
    }

    private boolean harvest(
            DirtyBitmap into, DirtyBitmap.Segment segment, long page, long pages, Optional<ByteBuffer> scratch)
            throws MigrationException {
        IovaRange slice = new IovaRange(segment.firstByte() + page * into.pageBytes(), pages * into.pageBytes());
        boolean samePages = pageBytes() == into.pageBytes();
        if (samePages && scratch.isEmpty()) {
            return report(slice, segment.bits(), page);
        }
        IovaRange own = aligned(slice, pageBytes());
        long ownPages = own.length() / pageBytes();
        PageBits reported = scratch.isPresent() ? new PageBits(ownPages, scratch.get()) : new PageBits(ownPages);
        boolean known = report(own, reported, 0);
        synchronized (into) {
            if (samePages) {
                segment.bits().move(reported, page);
            } else {
                reported.drain((from, to) -> into.set(
                        new IovaRange(own.iova() + from * pageBytes(), (to - from) * pageBytes())));
            }
        }
        return known;
    }

    private boolean report(IovaRange range, PageBits bits, long from) throws MigrationException {
        try {
            calls.run(
                    "the report of written pages",
                    () -> tracker.reportAndClear(range, bits.slice(from, range.length() / pageBytes())));
            return true;
        } catch (MigrationException e) {
            if (e.failure().errno().equals(Optional.of(Errno.EOVERFLOW))) {
                return false;
            }
            throw e;
        }
    }

    /** Ends recording; does nothing when it does not record. */
    void stop() throws MigrationException {
        if (started) {
            started = false;
            calls.run("the end of dirty tracking", tracker::stop);
        }
    }

    private static List<IovaRange> aligned(List<IovaRange> ranges, long pageBytes) {
        return ranges.stream().map(range -> aligned(range, pageBytes)).toList();
    }

    private static IovaRange aligned(IovaRange range, long pageBytes) {
        long begin = range.iova() / pageBytes * pageBytes;
        long end = (range.end() + pageBytes - 1) / pageBytes * pageBytes;
        return new IovaRange(begin, end - begin);
    }

    /** At most so many ranges, neighbours with the smallest gaps between them put together. */
    static List<IovaRange> merged(List<IovaRange> ranges, int most) {
        List<IovaRange> merged = new ArrayList<>(ranges);
        while (merged.size() > 1) {
            int nearest = nearest(merged);
            boolean overlap = gap(merged, nearest) <= 0;
            if (merged.size() <= most && !overlap) {
                return merged;
            }
            IovaRange first = merged.get(nearest);
            IovaRange second = merged.remove(nearest + 1);
            merged.set(nearest, new IovaRange(first.iova(), second.end() - first.iova()));
        }
        return merged;
    }

    private static int nearest(List<IovaRange> ranges) {
        int nearest = 0;
        for (int i = 1; i < ranges.size() - 1; i++) {
            if (gap(ranges, i) < gap(ranges, nearest)) {
                nearest = i;
            }
        }
        return nearest;
    }

    private static long gap(List<IovaRange> ranges, int first) {
        return ranges.get(first + 1).iova() - ranges.get(first).end();
    }
}
