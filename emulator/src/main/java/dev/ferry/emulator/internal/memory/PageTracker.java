// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.memory;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The pages of one memory that are written, recorded on demand. Writers note on any thread, {@link #written} costs a
 * look at one field while nobody records; who records does so by one thread at a time.
 */
public final class PageTracker implements DirtyTracker {

    /** Sizes of pages, the bit of a size being the size: 4 KiB, 64 KiB, 2 MiB. */
    public static final long PAGE_SIZES = 1L << 12 | 1L << 16 | 1L << 21;
    /** Most ranges: as many as the kernel guarantees for a page of 16-byte ranges (linux/vfio.h, DMA logging). */
    public static final int MAX_RANGES = 256;

    private final String whose;
    private final Capabilities capabilities;
    /** Null while nobody records. */
    private volatile PageLog log;

    /** Returns when every write that was under way can be seen; those that begin later are noted. */
    @FunctionalInterface
    public interface Handshake {
        /** Waits for a bounded time. */
        void run() throws DeviceException;
    }

    private volatile Handshake handshake = () -> {};

    /**
     * A tracker that records nothing.
     *
     * @param whose whose writes, for people
     * @param mechanism as {@link DirtyTracker.Capabilities#mechanism}
     * @param exact as {@link DirtyTracker.Capabilities#exact}
     */
    public PageTracker(String whose, String mechanism, boolean exact) {
        this.whose = whose;
        this.capabilities = new Capabilities(mechanism, PAGE_SIZES, MAX_RANGES, exact);
    }

    /** Sets what a start waits for, when writers do not share a lock with who records. */
    public void handshake(Handshake with) {
        handshake = with;
    }

    /** Notes a write that was done; or is about to be, where who records is kept out until it is. */
    public void written(long iova, int length) {
        PageLog present = log;
        if (present != null) {
            present.written(iova, length);
        }
    }

    /** The log in use; null while nobody records. */
    public PageLog logOrNull() {
        return log;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        if (log != null) {
            throw new DeviceException(Errno.EBUSY, "the writes of " + whose + " are recorded already");
        }
        check(pageSize, ranges);
        record(pageSize, ranges);
        boolean done = false;
        try {
            handshake.run();
            done = true;
        } finally {
            if (!done) {
                stop();
            }
        }
    }

    /** Begins to record without asking whether that can be. */
    public void record(long pageSize, List<IovaRange> ranges) {
        log = new PageLog(pageSize, ranges);
    }

    private void check(long pageSize, List<IovaRange> ranges) throws DeviceException {
        if (Long.bitCount(pageSize) != 1 || (pageSize & PAGE_SIZES) == 0) {
            throw invalid("pages of %d bytes cannot be recorded".formatted(pageSize));
        }
        long end = 0;
        for (IovaRange range : ranges) {
            if (range.iova() < end || !isAligned(range, pageSize)) {
                throw invalid("ranges must be whole pages, ascending and without overlap, not " + range);
            }
            end = range.end();
        }
        if (ranges.isEmpty()) {
            throw invalid("there is no range");
        }
        if (ranges.size() > MAX_RANGES || !PageLog.fits(pageSize, ranges)) {
            throw new DeviceException(
                    Errno.ENOSPC,
                    "the writes of %s are recorded for at most %d ranges and %d pages; ask for larger pages"
                            .formatted(whose, MAX_RANGES, PageLog.MOST_PAGES));
        }
    }

    private static boolean isAligned(IovaRange range, long pageSize) {
        return range.iova() % pageSize == 0 && range.length() % pageSize == 0;
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        PageLog present = log;
        if (present == null) {
            throw invalid("nobody has started");
        }
        if (!isAligned(range, present.pageSize()) || !present.covers(range)) {
            throw invalid("%s is not whole pages of one recorded range".formatted(range));
        }
        present.take(range, bitmap);
    }

    private DeviceException invalid(String why) {
        return new DeviceException(Errno.EINVAL, "the writes of %s cannot be recorded so: %s".formatted(whose, why));
    }

    @Override
    public void stop() {
        log = null;
    }
}
