// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.IovaRange;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** One way in which the kernel records written pages: its requests, and nothing else. One caller at a time. */
interface DirtyLog {

    /** Begins to record in the kernel. It does not record when this fails. */
    void begin(long pageSize, List<IovaRange> ranges) throws DeviceException;

    /** Sets the bits of written pages in zeroed words of 64 bits, and clears them in the kernel. */
    void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException;

    /** Ends recording in the kernel; may be asked for again when it failed. */
    void end() throws DeviceException;

    /** Begins anew, since what was recorded is lost. When this fails, recording is to be {@linkplain #end ended}. */
    default void restart(long pageSize, List<IovaRange> ranges) throws DeviceException {
        end();
        begin(pageSize, ranges);
    }

    /** Counts all pages of a report as written: what to say when the kernel tells nothing of them. */
    static void setAll(MemorySegment bitmap, long pages) {
        for (long page = 0; page < pages; page += Long.SIZE) {
            bitmap.set(JAVA_LONG, page / Byte.SIZE, bits(pages - page));
        }
    }

    /** A word of which so many bits are set, or all. */
    static long bits(long pages) {
        return pages < Long.SIZE ? (1L << pages) - 1 : -1;
    }
}
