// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.GetDirtyBitmap;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.SetDirtyTracking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The IOMMU marks the pages it translated writes for: {@code IOMMU_HWPT_SET_DIRTY_TRACKING} and {@code
 * ..._GET_DIRTY_BITMAP} of {@code linux/iommufd.h}. Records all that is mapped; enabling clears what was marked.
 */
final class IommufdTracking implements DirtyLog {
    /** Pages of one report. */
    static final long MOST_PAGES = 32L << 20;

    private final VfioDevice device;
    private final IommufdSpace space;
    private final int hwpt;

    IommufdTracking(VfioDevice device, IommufdSpace space, int hwpt) {
        this.device = device;
        this.space = space;
        this.hwpt = hwpt;
    }

    /** What a tracker on it can do. */
    static Capabilities capabilities(int pageSize, String mechanism) {
        return new Capabilities(mechanism, pageSize, Integer.MAX_VALUE, true);
    }

    @Override
    public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
        set(SetDirtyTracking.FLAG_ENABLE);
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
            argument.set(JAVA_INT, SetDirtyTracking.HWPT_ID, hwpt);
            device.require(space.ioctl(Iommufd.IOMMU_HWPT_SET_DIRTY_TRACKING, argument),
                    "IOMMU_HWPT_SET_DIRTY_TRACKING");
        }
    }

    @Override
    public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(GetDirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, GetDirtyBitmap.BYTES);
            argument.set(JAVA_INT, GetDirtyBitmap.HWPT_ID, hwpt);
            argument.set(JAVA_LONG, GetDirtyBitmap.IOVA, range.iova());
            argument.set(JAVA_LONG, GetDirtyBitmap.LENGTH, range.length());
            argument.set(JAVA_LONG, GetDirtyBitmap.PAGE_SIZE, pageSize);
            argument.set(ADDRESS, GetDirtyBitmap.DATA, bitmap);
            device.require(space.ioctl(Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP, argument), "IOMMU_HWPT_GET_DIRTY_BITMAP");
        }
    }
}
