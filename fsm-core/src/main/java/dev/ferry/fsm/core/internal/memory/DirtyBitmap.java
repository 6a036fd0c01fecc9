// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;

/**
 * Which pages of a guest are still to be carried: one bit per page, 32 MiB for each TiB of memory at 4 KiB pages. Not
 * thread-safe, but for those who set bits {@linkplain Slice slice} by slice.
 */
public final class DirtyBitmap {

    /** Memory of one slice, so that a job can stop in between: its bits take 512 KiB at 4 KiB pages. */
    private static final long SLICE_BYTES = 16L << 30;

    private final long pageBytes;
    private final long slicePages;
    private final List<Segment> segments;
    private final List<Slice> slices;

    /** One range of memory, seen as whole pages. */
    private record Segment(IovaRange range, long firstByte, PageBits bits, List<Slice> slices) {}

    /** Takes a run of pages that are to be carried. */
    @FunctionalInterface
    public interface RunVisitor {
        /** Takes one run, which lies in the memory of the guest. */
        void run(long iova, long length) throws MigrationException;
    }

    /**
     * A bitmap in which nothing is set.
     *
     * @param ranges ascending; no two of them share a page
     */
    public DirtyBitmap(List<IovaRange> ranges, long pageBytes) {
        this.pageBytes = pageBytes;
        // Whole words, also of very large pages.
        this.slicePages = Math.max(SLICE_BYTES / pageBytes, Long.SIZE);
        this.segments = ranges.stream().map(this::segment).toList();
        this.slices = segments.stream().flatMap(segment -> segment.slices().stream()).toList();
    }

    private Segment segment(IovaRange range) {
        long firstByte = floor(range.iova(), pageBytes);
        PageBits bits = new PageBits(pages(range, pageBytes));
        List<Slice> own = new ArrayList<>();
        for (long page = 0; page < bits.size(); page += slicePages) {
            long pages = Math.min(slicePages, bits.size() - page);
            IovaRange memory = new IovaRange(firstByte + page * pageBytes, pages * pageBytes);
            own.add(new Slice(bits, page, pages, memory));
        }
        return new Segment(range, firstByte, bits, own);
    }

    /** Memory that the bitmap of some ranges takes. */
    public static long bytesFor(List<IovaRange> ranges, long pageBytes) {
        return ranges.stream()
                .mapToLong(range -> PageBits.bytesFor(pages(range, pageBytes)))
                .sum();
    }

    private static long pages(IovaRange range, long pageBytes) {
        return (range.end() - floor(range.iova(), pageBytes) + pageBytes - 1) / pageBytes;
    }

    private static long floor(long address, long pageBytes) {
        return address / pageBytes * pageBytes;
    }

    long pageBytes() {
        return pageBytes;
    }

    /** All of it, by address ascending. */
    List<Slice> slices() {
        return slices;
    }

    /** Every page is to be carried. */
    public void setAll() {
        segments.forEach(segment -> segment.bits().set(0, segment.bits().size()));
    }

    /** Every page that some bytes touch is to be carried. Thread-safe beside others who set bits. */
    void set(IovaRange bytes, Gate gate) throws MigrationException {
        for (Segment segment : segments) {
            long from = Math.max(0, (bytes.iova() - segment.firstByte()) / pageBytes);
            long behind = bytes.end() - segment.firstByte();
            long to = Math.min(segment.bits().size(), (behind + pageBytes - 1) / pageBytes);
            if (behind > 0 && from < to) {
                set(segment, from, to, gate);
            }
        }
    }

    private void set(Segment segment, long from, long to, Gate gate) throws MigrationException {
        for (long page = from; page < to; ) {
            Slice slice = segment.slices().get((int) (page / slicePages));
            long end = Math.min(to, slice.endPage());
            slice.set(page, end, gate);
            page = end;
        }
    }

    /** How much is to be carried, in whole pages. */
    public long dirtyBytes() {
        return segments.stream().mapToLong(segment -> segment.bits().count()).sum() * pageBytes;
    }

    /** Gives every run of pages that are to be carried, by address ascending, and clears it. */
    public void drain(RunVisitor visitor) throws MigrationException {
        for (Segment segment : segments) {
            segment.bits().drain((from, to) -> {
                long begin = Math.max(segment.range().iova(), segment.firstByte() + from * pageBytes);
                long end = Math.min(segment.range().end(), segment.firstByte() + to * pageBytes);
                visitor.run(begin, end - begin);
            });
        }
    }
}
