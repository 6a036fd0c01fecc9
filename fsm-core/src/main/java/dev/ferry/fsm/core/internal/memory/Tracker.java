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
        // Counted as started also where it fails, as the device may record all the same.
        started = true;
        try {
            calls.run("the start of dirty tracking", () -> tracker.start(pageBytes(), ranges));
        } catch (MigrationException e) {
            // EBUSY is told of a recording that is somebody else's to end.
            started = !e.failure().errno().equals(Optional.of(Errno.EBUSY));
            throw e;
        }
    }

    /**
     * Adds what was written since the last time, beside other trackers: into the bitmap itself where nobody else does
     * so, else by way of a piece of memory of its own, so that no tracker waits for another one before it is asked;
     * what it told is added when the other one has answered.
     *
     * @param first which slice of the bitmap it begins with; trackers that begin far from each other seldom meet
     * @param scratches direct buffers in which nothing is set, as nothing is afterwards
     * @return false when the record was lost: everything counts as written
     */
    boolean harvest(DirtyBitmap into, int first, Buffers scratches, Gate gate) throws MigrationException {
        List<Slice> slices = into.slices();
        for (int i = 0; i < slices.size(); i++) {
            gate.check();
            if (!harvest(into, slices.get((first + i) % slices.size()), scratches, gate)) {
                return false;
            }
        }
        return true;
    }

    private boolean harvest(DirtyBitmap into, Slice slice, Buffers scratches, Gate gate) throws MigrationException {
        boolean samePages = pageBytes() == into.pageBytes();
        if (samePages && slice.takeNow()) {
            try {
                return report(slice.memory(), slice.bits());
            } finally {
                slice.giveBack();
            }
        }
        IovaRange own = aligned(slice.memory(), pageBytes());
        ByteBuffer scratch = scratches.take(scratchBytes(into));
        PageBits reported = new PageBits(own.length() / pageBytes(), scratch);
        boolean known = report(own, reported.slice(0, reported.size()));
        if (samePages) {
            slice.move(reported, gate);
        } else {
            reported.drain((from, to) -> into.set(
                    new IovaRange(own.iova() + from * pageBytes(), (to - from) * pageBytes()), gate));
        }
        scratches.give(scratch);
        return known;
    }

    /** How much space it needs for what it reports at a time. */
    private int scratchBytes(DirtyBitmap into) {
        long longest = into.slices().stream()
                .mapToLong(slice -> slice.memory().length())
                .max()
                .orElse(0);
        // One page more at each end, where its pages are larger.
        return Math.toIntExact(PageBits.bytesFor(longest / pageBytes() + 2));
    }

    private boolean report(IovaRange range, ByteBuffer bits) throws MigrationException {
        try {
            calls.run("the report of written pages", () -> tracker.reportAndClear(range, bits));
            return true;
        } catch (MigrationException e) {
            if (e.failure().errno().equals(Optional.of(Errno.EOVERFLOW))) {
                return false;
            }
            throw e;
        }
    }

    /** Ends recording, also where its start failed; does nothing when it was not started, or was busy. */
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
