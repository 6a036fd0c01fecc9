// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.GetDirtyBitmap;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.SetDirtyTracking;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The IOMMU marks the pages it translated writes for: {@code IOMMU_HWPT_SET_DIRTY_TRACKING} and {@code
 * ..._GET_DIRTY_BITMAP} of {@code linux/iommufd.h}. Records all that is mapped; enabling clears what was marked.
 *
 * <p>The kernel tells nothing from the first page on that is not mapped, nor when the record was ended by somebody
 * else, and says success all the same: {@code iommu_read_and_clear_dirty} of {@code drivers/iommu/iommufd/
 * io_pagetable.c} drops the error, in Linux 6.12 as in 7.2. So ranges that are not wholly mapped are not to be
 * asked of: see {@link OwnMemoryLog} for memory that is mapped here. Who lent a page table must keep every range mapped
 * that is recorded, in pages of the IOMMU that no report cuts, and the record going; otherwise pages are lost, and
 * nobody can tell.
 */
final class IommufdTracking implements DirtyLog {
    /** Pages of one report. */
    static final long MOST_PAGES = 32L << 20;

    private static final String GET = "IOMMU_HWPT_GET_DIRTY_BITMAP";

    private final VfioDevice device;
    private final IommufdSpace space;
    private final int hwptId;

    IommufdTracking(VfioDevice device, IommufdSpace space, int hwptId) {
        this.device = device;
        this.space = space;
        this.hwptId = hwptId;
    }

    /**
     * What a tracker on it can do. The IOMMU may have one mark for many pages of a space that was lent: all of them are
     * told then, and lost where a range cuts them, since the kernel clears the mark and tells of the range alone.
     */
    static Capabilities capabilities(int pageSize, String mechanism, boolean lent) {
        return new Capabilities(mechanism, pageSize, Integer.MAX_VALUE, !lent);
    }

    /**
     * Asks of a page without clearing its mark: better known now than in a migration that there is no such page table,
     * or that it cannot tell. Disturbs nobody who records.
     */
    void tryOut(long pageSize) throws DeviceException {
        int result = space.askOfOnePage(hwptId, pageSize);
        if (result < 0) {
            throw new KernelException(device.name(), GET, -result, advice(-result));
        }
    }

    private String advice(int number) {
        return switch (number) {
            case LinuxErrno.ENOENT -> "the iommufd has no page table " + hwptId;
            case LinuxErrno.EOPNOTSUPP -> "page table %d was not made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING"
                    .formatted(hwptId);
            default -> "";
        };
    }

    @Override
    public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
        set(SetDirtyTracking.IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
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
            argument.set(JAVA_INT, SetDirtyTracking.HWPT_ID, hwptId);
            device.require(space.ioctl(Iommufd.IOMMU_HWPT_SET_DIRTY_TRACKING, argument),
                    "IOMMU_HWPT_SET_DIRTY_TRACKING");
        }
    }

    @Override
    public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(GetDirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, GetDirtyBitmap.BYTES);
            argument.set(JAVA_INT, GetDirtyBitmap.HWPT_ID, hwptId);
            argument.set(JAVA_LONG, GetDirtyBitmap.IOVA, range.iova());
            argument.set(JAVA_LONG, GetDirtyBitmap.LENGTH, range.length());
            argument.set(JAVA_LONG, GetDirtyBitmap.PAGE_SIZE, pageSize);
            argument.set(ADDRESS, GetDirtyBitmap.DATA, bitmap);
            device.require(space.ioctl(Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP, argument), GET);
        }
    }
}
