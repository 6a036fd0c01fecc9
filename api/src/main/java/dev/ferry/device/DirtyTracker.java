// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.nio.ByteBuffer;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tells which pages of memory were written: by one device, or by the processors of a guest.
 *
 * <p>Called by {@code fsm-core} alone, one call of a tracker at a time, on threads of a migration; those of different
 * trackers at the same time, and {@link #capabilities} at any. Every call must return within seconds. Recording has
 * nothing to do with the state of a device: it ends after the device was stopped, and often after its guest runs
 * elsewhere; a driver that leaves ends it itself. Resembles the device feature {@code
 * VFIO_DEVICE_FEATURE_DMA_LOGGING_*} of the kernel header {@code linux/vfio.h}, to which it maps one to one.
 *
 * <p>Between {@link #start} and {@link #stop} a write is recorded when readers of the memory can see it already, or
 * both is done while no report can come between. The other way round it is lost: a report takes the record, the page is
 * carried as it was, and then it is written. Once the writer has stopped, the next report is complete.
 */
@ConsumerType
public interface DirtyTracker {

    /**
     * What the tracker can do; the same answer for the life of the tracker.
     *
     * @param mechanism how it tracks and why this way was taken, for people: {@code device DMA logging}
     * @param pageSizes supported sizes of a tracked page; bit n set: 2^n bytes
     * @param maxRanges most ranges of one {@link #start}, 1 or more; a caller with more merges neighbours
     * @param exact false when pages may be reported that were not written, for example every page that the device may
     *     write
     */
    record Capabilities(String mechanism, long pageSizes, int maxRanges, boolean exact) {
        /** Refuses trackers without a page size or a range. */
        public Capabilities {
            if (pageSizes == 0 || maxRanges < 1) {
                throw new IllegalArgumentException(
                        "a dirty tracker needs a page size and a range: " + Long.toHexString(pageSizes) + ", "
                                + maxRanges);
            }
        }
    }

    /**
     * What the tracker can do. Does not block; may come on any thread at any time, as whoever plans a migration asks,
     * too, while another one uses the tracker.
     */
    Capabilities capabilities();

    /**
     * Begins to record writes. What was written before need not be reported, and may be.
     *
     * @param pageSize one of the supported sizes, in bytes
     * @param ranges one or more, ascending, without overlap, aligned to the page size; at most as many as the tracker
     *     takes
     * @throws DeviceException EBUSY when it records already, and that recording goes on; EINVAL for a size or ranges
     *     that are not as demanded; ENOSPC for too many ranges; other errnos as the device gives them. After any error
     *     but EBUSY it does not record, and {@link #stop} follows
     */
    void start(long pageSize, List<IovaRange> ranges) throws DeviceException;

    /**
     * Says which pages of a range were written since the last call that covered them, or since {@link #start}, and
     * forgets it.
     *
     * @param range lies inside one of the ranges that are recorded, aligned to the page size
     * @param bitmap one bit per page from its position: bit {@code i % 8} of byte {@code i / 8} is page {@code i} of
     *     the range (so it is an array of little-endian 64-bit words as well). Bits of written pages are set, others
     *     are left as they are; position and limit stay. Has space for all pages, rounded up to 8 bytes
     * @throws DeviceException EINVAL when it does not record, or for a range or a bitmap that are not as demanded, and
     *     nothing changed; EOVERFLOW when the record was lost: every page of every range counts as written, and
     *     recording goes on from now; other errnos as the device gives them: what was recorded is lost, it records no
     *     more, and is to be stopped. Bits may have been set whatever is thrown
     */
    void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException;

    /**
     * Ends recording and forgets what was recorded; does nothing when there is nothing to end. Called also after a
     * {@link #start} that failed with anything but EBUSY.
     *
     * @throws DeviceException as the device gives them. The tracker does not record any more, but the device may: a
     *     later stop, or the next start, tries again to end that
     */
    void stop() throws DeviceException;
}
