// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.memory.Buffers;
import dev.ferry.fsm.core.internal.memory.DirtyTracking;
import dev.ferry.fsm.core.internal.memory.GuestCalls;
import dev.ferry.fsm.core.internal.memory.MemoryChoice;
import dev.ferry.fsm.core.internal.memory.Tracker;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * How fast the written pages of a guest of 1 TiB are taken from a tracker and turned into runs to carry, beside a plain
 * scan: the same bits copied into a buffer, then looked at word by word, each run in a word added up, and cleared.
 */
final class HarvestFigures {

    private static final long GUEST_BYTES = 1L << 40;
    private static final long PAGE_BYTES = 4096;
    private static final int BITMAP_BYTES = (int) (GUEST_BYTES / PAGE_BYTES / Byte.SIZE);
    private static final int WORDS = BITMAP_BYTES / Long.BYTES;
    private static final double NANOS = 1e9;
    private static final double GIGA = 1e9;
    private static final double MILLION = 1e6;

    /** Which pages are written. */
    private enum Pattern {
        /** None. */
        NOTHING,
        /** Single pages, one of ten thousand. */
        SPARSE,
        /** All but single ones, one of ten thousand. */
        DENSE,
        /** Every second one by chance, which no guest does: as many runs as there can be, nearly. */
        RANDOM
    }

    private static long sink;

    private HarvestFigures() {}

    static void print() throws Exception {
        LiveFigures.line("%nBitmap of a guest of 1 TiB, pages of 4 KiB: %d bytes", BITMAP_BYTES);
        LiveFigures.line("%-8s %12s %12s %8s %16s %16s", "pages", "harvest ms", "scan ms", "ratio", "guest GB/s",
                "bitmap GB/s");
        for (Pattern pattern : Pattern.values()) {
            print(pattern, bits(pattern));
        }
    }

    private static void print(Pattern pattern, ByteBuffer bits) throws Exception {
        ByteBuffer own = ByteBuffer.allocateDirect(BITMAP_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        DirtyTracking tracking = tracking(bits);
        tracking.start();
        tracking.bitmap().drain((iova, length) -> sink += length);
        long expected = scan(bits, own);
        double[] medians = LiveFigures.medians(() -> timedScan(bits, own), () -> timedHarvest(tracking, expected));
        double scan = medians[0];
        double harvest = medians[1];
        LiveFigures.line("%-8s %12.2f %12.2f %8.2f %16.0f %16.1f", pattern, harvest / MILLION, scan / MILLION,
                harvest / scan, GUEST_BYTES / GIGA / (harvest / NANOS), BITMAP_BYTES / GIGA / (harvest / NANOS));
    }

    private static long timedScan(ByteBuffer bits, ByteBuffer own) {
        long begin = System.nanoTime();
        sink += scan(bits, own);
        return System.nanoTime() - begin;
    }

    private static long timedHarvest(DirtyTracking tracking, long expected) throws MigrationException {
        long before = sink;
        long begin = System.nanoTime();
        tracking.harvest(tracking.trackers().get(0), () -> {});
        tracking.bitmap().drain((iova, length) -> sink += length);
        long nanos = System.nanoTime() - begin;
        if (sink - before != expected * PAGE_BYTES) {
            throw new IllegalStateException("harvested " + (sink - before) + " bytes of " + expected + " pages");
        }
        return nanos;
    }

    /** Pages that are set. */
    private static long scan(ByteBuffer bits, ByteBuffer own) {
        own.put(0, bits, 0, BITMAP_BYTES);
        long pages = 0;
        for (int at = 0; at < BITMAP_BYTES; at += Long.BYTES) {
            long word = own.getLong(at);
            if (word == -1L) {
                pages += Long.SIZE;
            } else {
                while (word != 0) {
                    int from = Long.numberOfTrailingZeros(word);
                    int run = Long.numberOfTrailingZeros(~(word >>> from));
                    pages += run;
                    word &= -1L << Math.min(from + run, Long.SIZE - 1);
                    word = from + run >= Long.SIZE ? 0 : word;
                }
            }
            own.putLong(at, 0);
        }
        return pages;
    }

    private static ByteBuffer bits(Pattern pattern) {
        ByteBuffer bits = ByteBuffer.allocateDirect(BITMAP_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(1);
        for (int word = 0; word < WORDS; word++) {
            // One page of 10,000 is in one word of 156.
            long single = random.nextInt(156) == 0 ? 1L << random.nextInt(Long.SIZE) : 0;
            bits.putLong(word * Long.BYTES, switch (pattern) {
                case NOTHING -> 0;
                case SPARSE -> single;
                case DENSE -> ~single;
                case RANDOM -> random.nextLong();
            });
        }
        return bits;
    }

    private static DirtyTracking tracking(ByteBuffer bits) throws MigrationException {
        List<IovaRange> ranges = List.of(new IovaRange(0, GUEST_BYTES));
        Tracker tracker = Tracker.of(new GuestCalls("source", new TrackedGuest(ranges, bits))).orElseThrow();
        return new DirtyTracking(
                new MemoryChoice(ranges, List.of(tracker), PAGE_BYTES, "measured"), new Buffers());
    }

    /** A guest of which nothing is there but its record of written pages, always the same. */
    private record TrackedGuest(List<IovaRange> ranges, ByteBuffer bits) implements Guest, GuestMemory, DirtyTracker {

        @Override
        public Capabilities capabilities() {
            return new Capabilities("always the same pages", PAGE_BYTES, 1, true);
        }

        @Override
        public void start(long pageSize, List<IovaRange> recorded) {
            // Always the same.
        }

        @Override
        public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
            int at = (int) (range.iova() / PAGE_BYTES / Byte.SIZE);
            bitmap.put(bitmap.position(), bits, at, (int) (range.length() / PAGE_BYTES / Byte.SIZE));
        }

        @Override
        public void stop() {
            // Always the same.
        }

        @Override
        public GuestMemory memory() {
            return this;
        }

        @Override
        public Optional<DirtyTracker> dirtyTracker() {
            return Optional.of(this);
        }

        @Override
        public void pause() {
            // Nothing runs.
        }

        @Override
        public void resume() {
            // Nothing runs.
        }

        @Override
        public void read(long address, ByteBuffer into) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void write(long address, ByteBuffer from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ByteBuffer saveDeviceConfig(String deviceId) {
            return ByteBuffer.allocate(0);
        }

        @Override
        public void loadDeviceConfig(String deviceId, ByteBuffer config) {
            // There is none.
        }
    }
}
