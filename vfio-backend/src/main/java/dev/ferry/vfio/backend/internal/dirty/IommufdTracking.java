// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.GetDirtyBitmap;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.SetDirtyTracking;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The IOMMU marks the pages it translated writes for: {@code IOMMU_HWPT_SET_DIRTY_TRACKING} and {@code
 * ..._GET_DIRTY_BITMAP} of {@code linux/iommufd.h}. Records all that is mapped; enabling clears what was marked.
 *
 * <p>The kernel answers EINVAL for a range in which a page is not mapped, and may have told, and cleared, a part of it
 * by then. The range is halved until what is mapped is told apart, but for a few pages next to the hole. These and the
 * hole count as written: a page may have been written before its mapping was taken away. Of a page that is mapped again
 * by then the mark went with the mapping before: who lent the page table must not unmap memory of the guest while it
 * records.
 *
 * <p>It answers EINVAL, too, when somebody has ended the record. So a report of which nothing can be told is an error,
 * and one with holes that take more than {@value #MOST_REQUESTS} requests to tell apart: the record is begun anew.
 */
final class IommufdTracking implements DirtyLog {
    private static final Logger LOG = LoggerFactory.getLogger(IommufdTracking.class);

    /** Pages of one report. */
    static final long MOST_PAGES = 32L << 20;
    /** Pages of a range that is not halved any more: a word of the bitmap. */
    private static final long LEAST_PAGES = Long.SIZE;
    /** Requests of one report: memory is looked at during the downtime, too. */
    private static final int MOST_REQUESTS = 4096;

    private static final String GET = "IOMMU_HWPT_GET_DIRTY_BITMAP";

    private final VfioDevice device;
    private final IommufdSpace space;
    /** That there are holes was said since the beginning of the record. */
    private boolean holesTold;

    IommufdTracking(VfioDevice device, IommufdSpace space) {
        this.device = device;
        this.space = space;
    }

    /** What a tracker on it can do. */
    static Capabilities capabilities(int pageSize, String mechanism) {
        return new Capabilities(mechanism, pageSize, Integer.MAX_VALUE, true);
    }

    @Override
    public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
        set(SetDirtyTracking.FLAG_ENABLE);
        holesTold = false;
    }

    @Override
    public void end() throws DeviceException {
        set(0);
    }

    private void set(int flags) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(SetDirtyTracking.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, SetDirtyTracking.BYTES);
            argument.set(JAVA_INT, SetDirtyTracking.FLAGS, flags);
            argument.set(JAVA_INT, SetDirtyTracking.HWPT_ID, space.pageTable());
            device.require(space.ioctl(Iommufd.IOMMU_HWPT_SET_DIRTY_TRACKING, argument),
                    "IOMMU_HWPT_SET_DIRTY_TRACKING");
        }
    }

    @Override
    public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
        Search search = new Search(pageSize);
        search.tell(range, bitmap);
        if (!search.toldAny) {
            throw search.lost();
        }
        search.hole.ifPresent(this::tellHole);
    }

    /** One report, and what it has come to. */
    private final class Search {
        private final long pageSize;
        private int requests;
        private boolean toldAny;
        /** The first one. */
        private Optional<IovaRange> hole = Optional.empty();

        Search(long pageSize) {
            this.pageSize = pageSize;
        }

        void tell(IovaRange range, MemorySegment bitmap) throws DeviceException {
            if (++requests > MOST_REQUESTS) {
                throw lost();
            }
            int result = request(range, pageSize, bitmap);
            if (result != -LinuxErrno.EINVAL) {
                device.require(result, GET);
                toldAny = true;
                return;
            }
            long pages = range.length() / pageSize;
            if (pages <= LEAST_PAGES) {
                DirtyLog.setAll(bitmap, pages);
                hole = hole.or(() -> Optional.of(range));
                return;
            }
            long half = (pages - 1) / LEAST_PAGES / 2 * LEAST_PAGES + LEAST_PAGES; // whole words, less than all pages
            IovaRange left = new IovaRange(range.iova(), half * pageSize);
            tell(left, bitmap.asSlice(0, half / Byte.SIZE));
            tell(new IovaRange(left.end(), range.length() - left.length()), bitmap.asSlice(half / Byte.SIZE));
        }

        DeviceException lost() {
            return new DeviceException(Errno.EINVAL,
                    ("%s: %s gives EINVAL for too much of a report: memory is not mapped, or somebody "
                            + "else ended the record")
                            .formatted(device.name(), GET));
        }
    }

    private void tellHole(IovaRange range) {
        if (!holesTold) {
            holesTold = true;
            LOG.warn("iommufd does not tell what {} wrote at {}, where some page is not mapped; here, and wherever "
                    + "else this is so, every page counts as written", device.name(), range);
        }
    }

    private int request(IovaRange range, long pageSize, MemorySegment bitmap) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(GetDirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, GetDirtyBitmap.BYTES);
            argument.set(JAVA_INT, GetDirtyBitmap.HWPT_ID, space.pageTable());
            argument.set(JAVA_LONG, GetDirtyBitmap.IOVA, range.iova());
            argument.set(JAVA_LONG, GetDirtyBitmap.LENGTH, range.length());
            argument.set(JAVA_LONG, GetDirtyBitmap.PAGE_SIZE, pageSize);
            argument.set(ADDRESS, GetDirtyBitmap.DATA, bitmap);
            return space.ioctl(Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP, argument);
        }
    }
}
