// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.IovaRange;
import dev.ferry.migration.MigrationException;
import java.util.List;

/**
 * Which pages of a guest are still to be carried: one bit per page, 32 MiB for each TiB of memory at 4 KiB pages. Not
 * thread-safe.
 */
public final class DirtyBitmap {

    private final long pageBytes;
    private final List<Segment> segments;

    /** One range of memory, seen as whole pages. */
    record Segment(IovaRange range, long firstByte, PageBits bits) {}

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
        this.segments = ranges.stream().map(range -> segment(range, pageBytes)).toList();
    }

    private static Segment segment(IovaRange range, long pageBytes) {
        return new Segment(range, floor(range.iova(), pageBytes), new PageBits(pages(range, pageBytes)));
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

    List<Segment> segments() {
        return segments;
    }

    /** Every page is to be carried. */
    public void setAll() {
        segments.forEach(segment -> segment.bits().set(0, segment.bits().size()));
    }

    /** Every page that some bytes touch is to be carried. */
    public void set(IovaRange bytes) {
        for (Segment segment : segments) {
            long from = Math.max(0, (bytes.iova() - segment.firstByte()) / pageBytes);
            long behind = bytes.end() - segment.firstByte();
            long to = Math.min(segment.bits().size(), (behind + pageBytes - 1) / pageBytes);
            if (behind > 0 && from < to) {
                segment.bits().set(from, to);
            }
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
