// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.ContainerSpace.DirtyPages;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DirtyBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The container says what is mapped, or pinned, and so may have been written: {@code VFIO_IOMMU_DIRTY_PAGES} of {@code
 * linux/vfio.h}. Coarse: with a device behind an IOMMU every mapped page counts as written, for ever.
 *
 * <p>The kernel looks at the mappings that there are when it is asked. A page that was unmapped before counts as clean,
 * and so may one that was mapped again, whatever was written to it: who lent the container must not unmap memory of the
 * guest while it records.
 */
final class ContainerTracking implements DirtyLog {
    private static final Logger LOG = LoggerFactory.getLogger(ContainerTracking.class);

    /** Kernels take 64 times as much; nobody asks for so many pages at once. */
    private static final long MOST_BITMAP_BYTES = 1 << 22;

    private final VfioDevice device;
    private final ContainerSpace space;
    /** That the kernel does not tell of all was said since the beginning of the record. */
    private boolean untoldLogged;

    ContainerTracking(VfioDevice device, ContainerSpace space) {
        this.device = device;
        this.space = space;
    }

    /** What a tracker on it can do. */
    static Capabilities capabilities(DirtyPages limits, String mechanism) {
        return new Capabilities(mechanism, Long.lowestOneBit(limits.pageSizes()), Integer.MAX_VALUE, false);
    }

    /** Pages of one report. */
    static long mostPages(DirtyPages limits) {
        return Math.min(limits.mostBitmapBytes(), MOST_BITMAP_BYTES) / Long.BYTES * Long.SIZE;
    }

    @Override
    public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
        set(DirtyBitmap.VFIO_IOMMU_DIRTY_PAGES_FLAG_START, "START");
        untoldLogged = false;
    }

    @Override
    public void end() throws DeviceException {
        set(DirtyBitmap.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP, "STOP");
    }

    private void set(int flag, String what) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.ARGSZ, DirtyBitmap.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.FLAGS, flag);
            device.require(space.ioctl(VfioIoctl.VFIO_IOMMU_DIRTY_PAGES, argument), "VFIO_IOMMU_DIRTY_PAGES " + what);
        }
    }

    /**
     * The kernel tells nothing of a range that begins or ends inside a mapping, and loses nothing by being asked: every
     * page of the range counts as written, as most would anyway, and the record goes on. It says the same when somebody
     * else has ended the record: then, too, every page counts as written.
     */
    @Override
    public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DirtyBitmap.GET_BYTES, Long.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.ARGSZ, DirtyBitmap.GET_BYTES);
            argument.set(JAVA_INT, DirtyBitmap.FLAGS, DirtyBitmap.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);
            argument.set(JAVA_LONG, DirtyBitmap.GET_IOVA, range.iova());
            argument.set(JAVA_LONG, DirtyBitmap.GET_SIZE, range.length());
            argument.set(JAVA_LONG, DirtyBitmap.GET_PGSIZE, pageSize);
            argument.set(JAVA_LONG, DirtyBitmap.GET_BITMAP_SIZE, bitmap.byteSize());
            argument.set(ADDRESS, DirtyBitmap.GET_DATA, bitmap);
            int result = space.ioctl(VfioIoctl.VFIO_IOMMU_DIRTY_PAGES, argument);
            if (result == -LinuxErrno.EINVAL) {
                DirtyLog.setAll(bitmap, range.length() / pageSize);
                tellUntold(range);
            } else {
                device.require(result, "VFIO_IOMMU_DIRTY_PAGES GET_BITMAP");
            }
        }
    }

    private void tellUntold(IovaRange range) {
        if (!untoldLogged) {
            untoldLogged = true;
            LOG.warn("the container does not tell what {} wrote at {}: the range cuts a mapping, or somebody else "
                    + "ended the record; here, and wherever else this is so, every page counts as written",
                    device.name(), range);
        }
    }
}
