// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.internal.memory.PageTracker;
import dev.ferry.fsm.core.internal.memory.DirtyTracking;
import dev.ferry.fsm.core.internal.memory.GuestCalls;
import dev.ferry.fsm.core.internal.memory.MemoryChoice;
import dev.ferry.fsm.core.internal.memory.Tracker;
import dev.ferry.migration.MigrationException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * How fast the written pages of a guest are taken from trackers and turned into runs to carry, beside {@linkplain
 * PlainScan plain scans} of the same bits. One thread does all of it, whatever the number of trackers, and its
 * processor time is what counts: it does not wait for anything, and a busy machine disturbs it less.
 */
final class HarvestFigures {

    private static final int SEVERAL = 4;
    private static final double GIGA = 1e9;
    private static final double MILLION = 1e6;

    private final Effort effort;
    private long sink;

    /** Makes a tracker report bits in its next answer. */
    @FunctionalInterface
    private interface Refill {
        void refill();
    }

    private HarvestFigures(Effort effort) {
        this.effort = effort;
    }

    static void print(Effort effort) throws Exception {
        HarvestFigures figures = new HarvestFigures(effort);
        LiveFigures.line("%nBitmap of a guest of %d GiB, pages of 4 KiB: %d bytes", effort.guestBytes() >> 30,
                WrittenPages.bitmapBytes(effort.guestBytes()));
        LiveFigures.line("%-8s %-14s %10s %10s %10s %9s %9s %12s %12s", "pages", "trackers", "harvest ms", "read ms",
                "take ms", "/ read", "/ take", "guest GB/s", "bitmap GB/s");
        for (WrittenPages pages : WrittenPages.values()) {
            figures.steady(pages, 1);
            figures.steady(pages, SEVERAL);
            if (pages != WrittenPages.RANDOM) {
                figures.recorded(pages, 1);
                figures.recorded(pages, SEVERAL);
            }
        }
    }

    /** Trackers that cost as little as can be. */
    private void steady(WrittenPages pages, int count) throws Exception {
        List<ByteBuffer> bits = bits(pages, count);
        List<DirtyTracker> trackers = new ArrayList<>();
        bits.forEach(each -> trackers.add(new SteadyTracker(each)));
        print(pages, count + " steady", bits, trackers, () -> {});
    }

    /** Trackers of the emulator; writes are noted before each harvest, and the time for it does not count. */
    private void recorded(WrittenPages pages, int count) throws Exception {
        List<ByteBuffer> bits = bits(pages, count);
        List<PageTracker> trackers = new ArrayList<>();
        bits.forEach(each -> trackers.add(new PageTracker("nobody", "measured", true)));
        print(pages, count + " emulator", bits, trackers, () -> {
            for (int i = 0; i < count; i++) {
                note(bits.get(i), trackers.get(i));
            }
        });
    }

    /** Different pages for each; with one, those of the table's other lines. */
    private List<ByteBuffer> bits(WrittenPages pages, int count) {
        List<ByteBuffer> bits = new ArrayList<>();
        for (int seed = 1; seed <= count; seed++) {
            bits.add(pages.bits(effort.guestBytes(), seed));
        }
        return bits;
    }

    private static void note(ByteBuffer bits, PageTracker tracker) {
        for (int at = 0; at < bits.capacity(); at += Long.BYTES) {
            long page = (long) at * Byte.SIZE;
            for (long word = bits.getLong(at); word != 0; ) {
                int from = Long.numberOfTrailingZeros(word);
                int run = Long.numberOfTrailingZeros(~(word >>> from));
                tracker.written((page + from) * WrittenPages.PAGE_BYTES, (int) (run * WrittenPages.PAGE_BYTES));
                word = from + run >= Long.SIZE ? 0 : word & -1L << from + run;
            }
        }
    }

    private void print(
            WrittenPages pages,
            String name,
            List<ByteBuffer> bits,
            List<? extends DirtyTracker> trackers,
            Refill refill)
            throws Exception {
        DirtyTracking tracking = tracking(trackers);
        tracking.start();
        tracking.bitmap().drain((iova, length) -> sink += length);
        long expected = PlainScan.read(union(bits));
        Taken taken = new Taken(bits);
        double[] medians = LiveFigures.medians(
                effort,
                () -> timedHarvest(tracking, expected, refill),
                () -> timedRead(bits),
                taken::nanos);
        double harvest = medians[0];
        LiveFigures.line("%-8s %-14s %10.2f %10.2f %10.2f %9.2f %9.2f %12.0f %12.1f", pages, name, harvest / MILLION,
                medians[1] / MILLION, medians[2] / MILLION, harvest / medians[1], harvest / medians[2],
                effort.guestBytes() / GIGA / (harvest / GIGA),
                WrittenPages.bitmapBytes(effort.guestBytes()) / GIGA / (harvest / GIGA));
        tracking.stop();
    }

    private ByteBuffer union(List<ByteBuffer> bits) throws DeviceException {
        ByteBuffer union = WrittenPages.empty(effort.guestBytes());
        for (ByteBuffer each : bits) {
            new SteadyTracker(each).reportAndClear(new IovaRange(0, effort.guestBytes()), union);
        }
        return union;
    }

    private DirtyTracking tracking(List<? extends DirtyTracker> trackers) throws MigrationException {
        List<IovaRange> ranges = List.of(new IovaRange(0, effort.guestBytes()));
        List<Tracker> all = new ArrayList<>();
        for (DirtyTracker tracker : trackers) {
            all.add(Tracker.of(new GuestCalls("source", new RecordedGuest(ranges, tracker))).orElseThrow());
        }
        return new DirtyTracking(new MemoryChoice(ranges, all, WrittenPages.PAGE_BYTES, "measured"));
    }

    private long timedHarvest(DirtyTracking tracking, long expected, Refill refill) throws MigrationException {
        refill.refill();
        long before = sink;
        long begin = processorNanos();
        for (Tracker tracker : tracking.trackers()) {
            tracking.harvest(tracker, () -> {});
        }
        tracking.bitmap().drain((iova, length) -> sink += length);
        long nanos = processorNanos() - begin;
        if (sink - before != expected * WrittenPages.PAGE_BYTES) {
            throw new IllegalStateException("harvested " + (sink - before) + " bytes of " + expected + " pages");
        }
        return nanos;
    }

    private static long processorNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private long timedRead(List<ByteBuffer> bits) {
        long begin = processorNanos();
        for (ByteBuffer each : bits) {
            sink += PlainScan.read(each);
        }
        return processorNanos() - begin;
    }

    /** Bitmaps that are taken to and fro. */
    private final class Taken {

        private final List<ByteBuffer> from;
        private ByteBuffer spare = WrittenPages.empty(effort.guestBytes());

        /** Takes copies, as the bits are needed elsewhere. */
        Taken(List<ByteBuffer> bits) {
            from = new ArrayList<>();
            for (ByteBuffer each : bits) {
                from.add(WrittenPages.empty(effort.guestBytes()).put(0, each, 0, each.capacity()));
            }
        }

        long nanos() {
            long begin = processorNanos();
            for (int i = 0; i < from.size(); i++) {
                sink += PlainScan.take(from.get(i), spare);
                spare = from.set(i, spare);
            }
            return processorNanos() - begin;
        }
    }
}
