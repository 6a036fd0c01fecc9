// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.memory;

import dev.ferry.device.IovaRange;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which pages of some ranges were written since somebody asked last: a bit per page, in chunks that take memory when
 * something is written there. One recording has one log.
 *
 * <p>Any thread may write and any thread may ask. A write that is noted after it was done, with {@link #written}, is
 * either seen by whoever takes the bits before the note, or told to whoever takes them after it; it is never lost. One
 * note costs one atomic operation per 64 pages.
 */
public final class PageLog {

    /**
     * Most pages of all ranges: 8 TiB of 4 KiB pages, whose bits take 256 MiB, as with the type1 IOMMU of the kernel
     * (linux/vfio.h, VFIO_DIRTY_BITMAP_SIZE_MAX).
     */
    public static final long MOST_PAGES = 1L << 31;

    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle CHUNKS = MethodHandles.arrayElementVarHandle(long[][].class);

    private static final int WORD_SHIFT = 6;
    private static final int WORD_MASK = Long.SIZE - 1;
    private static final int CHUNK_WORDS_SHIFT = 12;
    private static final int CHUNK_SHIFT = WORD_SHIFT + CHUNK_WORDS_SHIFT;
    private static final int CHUNK_WORDS = 1 << CHUNK_WORDS_SHIFT;

    private final int pageShift;
    private final Region[] regions;

    /** Consecutive pages; numbers of pages count from address 0. */
    private record Region(long first, long end, long[][] chunks) {}

    /**
     * A log in which nothing is written.
     *
     * @param pageSize a power of two
     * @param ranges aligned to it, without overlap, in any order; they {@linkplain #fits fit}
     */
    public PageLog(long pageSize, List<IovaRange> ranges) {
        pageShift = Long.numberOfTrailingZeros(pageSize);
        regions = regions(ranges);
    }

    /** Whether the ranges have no more than {@link #MOST_PAGES}. */
    public static boolean fits(long pageSize, List<IovaRange> ranges) {
        long pages = 0;
        for (IovaRange range : ranges) {
            pages += range.length() / pageSize;
            if (pages > MOST_PAGES) {
                return false;
            }
        }
        return true;
    }

    /** Ranges that touch become one region, so that a run of written pages lies in one. */
    private Region[] regions(List<IovaRange> ranges) {
        List<IovaRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(IovaRange::iova));
        List<Region> merged = new ArrayList<>();
        long first = -1;
        long end = -1;
        for (IovaRange range : sorted) {
            if (range.iova() >>> pageShift != end) {
                addRegion(merged, first, end);
                first = range.iova() >>> pageShift;
            }
            end = range.end() >>> pageShift;
        }
        addRegion(merged, first, end);
        return merged.toArray(Region[]::new);
    }

    private static void addRegion(List<Region> regions, long first, long end) {
        if (end > first) {
            int chunks = (int) (end - 1 - first >>> CHUNK_SHIFT) + 1;
            regions.add(new Region(first, end, new long[chunks][]));
        }
    }

    /** Size of a page in bytes. */
    public long pageSize() {
        return 1L << pageShift;
    }

    /** Whether all of a range is recorded, in one piece. */
    public boolean covers(IovaRange range) {
        for (Region region : regions) {
            if (range.iova() >>> pageShift >= region.first() && range.end() - 1 >>> pageShift < region.end()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Notes a write; what lies outside the ranges is not recorded.
     *
     * @param iova of the first byte
     * @param length in bytes; nothing when it is 0
     */
    public void written(long iova, int length) {
        if (length <= 0) {
            return;
        }
        long from = iova >>> pageShift;
        long to = iova + length - 1 >>> pageShift;
        for (Region region : regions) {
            if (from < region.end() && to >= region.first()) {
                set(region, Math.max(from, region.first()), Math.min(to, region.end() - 1));
            }
        }
    }

    private static void set(Region region, long first, long last) {
        long bit = first - region.first();
        long lastBit = last - region.first();
        while (bit <= lastBit) {
            long lastOfWord = Math.min(lastBit, bit | WORD_MASK);
            long mask = mask((int) (lastOfWord - bit) + 1) << (bit & WORD_MASK);
            long ignored = (long) WORDS.getAndBitwiseOr(chunk(region, bit), wordOf(bit), mask);
            bit = lastOfWord + 1;
        }
    }

    private static long[] chunk(Region region, long bit) {
        int index = (int) (bit >>> CHUNK_SHIFT);
        long[] chunk = (long[]) CHUNKS.getAcquire(region.chunks(), index);
        if (chunk == null) {
            long[] fresh = new long[CHUNK_WORDS];
            long[] other = (long[]) CHUNKS.compareAndExchange(region.chunks(), index, null, fresh);
            chunk = other == null ? fresh : other;
        }
        return chunk;
    }

    /**
     * Takes what was written in a range: sets its bits in a bitmap, where others stay as they are; clears them here.
     *
     * @param range {@linkplain #covers covered}, aligned to the page size
     * @param bitmap as {@link dev.ferry.device.DirtyTracker#reportAndClear} has it
     */
    public void take(IovaRange range, ByteBuffer bitmap) {
        ByteBuffer words = bitmap.slice().order(ByteOrder.LITTLE_ENDIAN);
        long from = range.iova() >>> pageShift;
        long end = range.end() >>> pageShift;
        for (Region region : regions) {
            if (from >= region.first() && end <= region.end()) {
                take(region, from - region.first(), end - from, words);
            }
        }
    }

    private static void take(Region region, long from, long pages, ByteBuffer words) {
        long done = 0;
        while (done < pages) {
            long bit = from + done;
            if (CHUNKS.getAcquire(region.chunks(), (int) (bit >>> CHUNK_SHIFT)) == null
                    && (bit & WORD_MASK) == 0) {
                done += Math.min(pages - done, (1L << CHUNK_SHIFT) - (bit & (1L << CHUNK_SHIFT) - 1));
                continue;
            }
            int count = (int) Math.min(Long.SIZE, pages - done);
            long bits = clear(region, bit, count);
            if (bits != 0) {
                int at = (int) (done >>> WORD_SHIFT) * Long.BYTES;
                words.putLong(at, words.getLong(at) | bits);
            }
            done += count;
        }
    }

    /** Clears up to 64 bits, which may lie in two words, and gives what they were. */
    private static long clear(Region region, long bit, int count) {
        int within = (int) (bit & WORD_MASK);
        int inFirst = Math.min(count, Long.SIZE - within);
        long bits = clearInWord(region, bit, mask(inFirst) << within) >>> within;
        if (inFirst < count) {
            bits |= clearInWord(region, bit + inFirst, mask(count - inFirst)) << inFirst;
        }
        return bits;
    }

    private static long clearInWord(Region region, long bit, long mask) {
        long[] chunk = (long[]) CHUNKS.getAcquire(region.chunks(), (int) (bit >>> CHUNK_SHIFT));
        if (chunk == null || ((long) WORDS.getOpaque(chunk, wordOf(bit)) & mask) == 0) {
            return 0;
        }
        return (long) WORDS.getAndBitwiseAnd(chunk, wordOf(bit), ~mask) & mask;
    }

    /** Clears the bits of pages that lie in a range of whole, recorded pages. */
    public void clear(IovaRange range) {
        long from = range.iova() >>> pageShift;
        long end = range.end() >>> pageShift;
        for (Region region : regions) {
            long last = Math.min(end, region.end());
            for (long page = Math.max(from, region.first()); page < last; page += Long.SIZE) {
                clear(region, page - region.first(), (int) Math.min(Long.SIZE, last - page));
            }
        }
    }

    /**
     * The next run of written pages.
     *
     * @param from the first address to look at, page aligned
     * @param end where to stop looking, page aligned
     * @return the run, cut off at the end; null when there is none
     */
    public IovaRange nextRunOrNull(long from, long end) {
        for (Region region : regions) {
            long first = Math.max(from >>> pageShift, region.first());
            long last = Math.min(end >>> pageShift, region.end());
            long begin = next(region, first, last, 0);
            if (begin < last) {
                long behind = next(region, begin, last, -1L);
                return new IovaRange(begin << pageShift, behind - begin << pageShift);
            }
        }
        return null;
    }

    /** The first page from one on and before another whose bit differs from those of a word that is all alike. */
    private static long next(Region region, long from, long end, long alike) {
        long page = from;
        while (page < end) {
            long bit = page - region.first();
            long[] chunk = (long[]) CHUNKS.getAcquire(region.chunks(), (int) (bit >>> CHUNK_SHIFT));
            if (chunk == null && alike == 0) {
                page += (1L << CHUNK_SHIFT) - (bit & (1L << CHUNK_SHIFT) - 1);
                continue;
            }
            long word = chunk == null ? 0 : (long) WORDS.getOpaque(chunk, wordOf(bit));
            long different = (word ^ alike) >>> (bit & WORD_MASK);
            if (different != 0) {
                return Math.min(end, page + Long.numberOfTrailingZeros(different));
            }
            page += Long.SIZE - (bit & WORD_MASK);
        }
        return Math.max(from, end);
    }

    private static int wordOf(long bit) {
        return (int) (bit >>> WORD_SHIFT) & CHUNK_WORDS - 1;
    }

    private static long mask(int bits) {
        return bits == Long.SIZE ? -1L : (1L << bits) - 1;
    }
}
