// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What of this process is mapped in a space that was opened here, for whichever devices. Thread-safe; memory is not
 * unmapped while a {@linkplain #report report} is made.
 *
 * <p>The kernel's record of a page goes with its mapping. So while pages are recorded it is kept here what was
 * unmapped, which then counts as written.
 */
public final class OwnMemory {
    private final Requests requests;
    private final long pageSize;
    private final IovaRanges mapped = new IovaRanges();
    /** By its first address: whatever its user does, it is not freed while a device may reach it. */
    private final Map<Long, MemorySegment> reachable = new HashMap<>();
    /** Unmapped since the record began, and not reported since. */
    private final IovaRanges gone = new IovaRanges();
    private boolean recording;

    /** The requests of one kind of space. */
    interface Requests {
        /** Lets devices reach memory, for reading alone when it is read-only. */
        void map(long iova, MemorySegment memory) throws DeviceException;

        /** Takes away one whole mapping. */
        void unmap(IovaRange range) throws DeviceException;
    }

    /** One report of pages, in which no memory is unmapped. */
    @FunctionalInterface
    public interface Report {
        /**
         * Makes it.
         *
         * @param mapped parts of the range, ascending, that do not touch
         * @param gone parts that were mapped when the last report was made, ascending
         */
        void make(List<IovaRange> mapped, List<IovaRange> gone) throws DeviceException;
    }

    /** Nothing is mapped yet. */
    OwnMemory(Requests requests, long pageSize) {
        this.requests = requests;
        this.pageSize = pageSize;
    }

    /** Of the host, in bytes. */
    public long pageSize() {
        return pageSize;
    }

    /** Maps memory; a report that is made meanwhile leaves it to the next. */
    void map(IovaRange range, MemorySegment memory) throws DeviceException {
        requests.map(range.iova(), memory);
        synchronized (this) {
            mapped.add(range);
            reachable.put(range.iova(), memory);
        }
    }

    /** Takes away what was mapped by one call; referenced still when this throws. */
    synchronized void unmap(IovaRange range) throws DeviceException {
        unmapOrClosed(range);
        mapped.remove(range);
        reachable.remove(range.iova());
        if (recording) {
            gone.add(range);
        }
    }

    /** No request on an open file gives ENODEV: it is closed, and its mappings went with it. */
    private void unmapOrClosed(IovaRange range) throws DeviceException {
        try {
            requests.unmap(range);
        } catch (DeviceException e) {
            if (e.errno() != Errno.ENODEV) {
                throw e;
            }
        }
    }

    /** A record of dirty pages begins, or ends. */
    public synchronized void record(boolean on) {
        recording = on;
        gone.clear();
    }

    /** Makes a report of a range. What was unmapped is forgotten when that does not throw. */
    public synchronized void report(IovaRange range, Report report) throws DeviceException {
        report.make(mapped.within(range), gone.within(range));
        gone.remove(range);
    }
}
