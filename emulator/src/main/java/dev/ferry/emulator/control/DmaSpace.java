// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.control;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The memory that functions master: a table of ranges of I/O virtual addresses, each backed by a buffer, as an IOMMU
 * gives a device of one guest.
 *
 * <p>Thread-safe as a table; what lies in the memory is ordered only by what its users do. Buffers may be heap, direct
 * or mapped files (shared memory).
 */
public final class DmaSpace {

    /** What a range may be used for, seen from the device. */
    public enum Access {
        /** The device may read. */
        READ,
        /** The device may read and write. */
        READ_WRITE
    }

    /** An access to an address that is not mapped, or not for this. */
    public static final class DmaFault extends RuntimeException {
        private static final long serialVersionUID = 1L;

        DmaFault(String message) {
            super(message, null, false, false);
        }
    }

    /** Learns of each write of a device, just before it. */
    @FunctionalInterface
    public interface WriteObserver {
        /**
         * A device is about to write. Called on the thread of the device, with its lock held; must be short.
         *
         * @param iova of the first byte
         * @param length as many, 0 or more; an upper bound of what is written
         */
        void writing(long iova, int length);
    }

    private record Range(long iova, ByteBuffer memory, Access access) {}

    private final ConcurrentNavigableMap<Long, Range> ranges;
    private final WriteObserver observer;

    /** Nothing is mapped. */
    public DmaSpace() {
        this(new ConcurrentSkipListMap<>(), (iova, length) -> {});
    }

    private DmaSpace(ConcurrentNavigableMap<Long, Range> ranges, WriteObserver observer) {
        this.ranges = ranges;
        this.observer = observer;
    }

    /** The same memory for one device, of whose writes somebody wants to know. */
    public DmaSpace observedBy(WriteObserver writeObserver) {
        return new DmaSpace(ranges, Objects.requireNonNull(writeObserver, "writeObserver"));
    }

    /**
     * Maps a range.
     *
     * @param iova of its first byte, 0 or more
     * @param memory from position to limit, 1 byte or more; shared, not copied
     * @throws IllegalArgumentException when it overlaps a range that is mapped, is empty or wraps around
     */
    public void map(long iova, ByteBuffer memory, Access access) {
        Objects.requireNonNull(access, "access");
        long end = iova + memory.remaining();
        if (iova < 0 || !memory.hasRemaining() || end < 0) {
            throw new IllegalArgumentException("not a range to map: 0x%x + %d".formatted(iova, memory.remaining()));
        }
        synchronized (ranges) {
            Map.Entry<Long, Range> below = ranges.lowerEntry(end);
            if (below != null && below.getKey() + below.getValue().memory().capacity() > iova) {
                throw new IllegalArgumentException("the range 0x%x + %d overlaps the one at 0x%x"
                        .formatted(iova, memory.remaining(), below.getKey()));
            }
            ranges.put(iova, new Range(iova, memory.slice(), access));
        }
    }

    /** Removes the range that begins at an address; returns whether there was one. */
    public boolean unmap(long iova) {
        synchronized (ranges) {
            return ranges.remove(iova) != null;
        }
    }

    /**
     * A view of memory for the device to read; no copy.
     *
     * @return little-endian, read-only, {@code length} bytes from position 0
     * @throws DmaFault when the whole of it is not within one mapped range
     */
    public ByteBuffer readable(long iova, int length) {
        return view(find(iova, length, Access.READ), iova, length).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * A view of memory for the device to read and write; no copy.
     *
     * @return little-endian, {@code length} bytes from position 0
     * @throws DmaFault when the whole of it is not within one mapped range that may be written
     */
    public ByteBuffer writable(long iova, int length) {
        Range range = find(iova, length, Access.READ_WRITE);
        observer.writing(iova, length);
        return view(range, iova, length);
    }

    private Range find(long iova, int length, Access access) {
        Map.Entry<Long, Range> entry = ranges.floorEntry(iova);
        if (entry == null || iova - entry.getKey() > entry.getValue().memory().capacity() - (long) length) {
            throw new DmaFault("no memory is mapped at IOVA 0x%x for %d bytes".formatted(iova, length));
        }
        if (access == Access.READ_WRITE && entry.getValue().access() == Access.READ) {
            throw new DmaFault("the memory at IOVA 0x%x is read-only for devices".formatted(iova));
        }
        return entry.getValue();
    }

    private static ByteBuffer view(Range range, long iova, int length) {
        return range.memory().slice((int) (iova - range.iova()), length).order(ByteOrder.LITTLE_ENDIAN);
    }
}
