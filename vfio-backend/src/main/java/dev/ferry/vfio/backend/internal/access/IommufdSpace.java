// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SameFile;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.GetDirtyBitmap;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The addresses behind a page table of an iommufd. Thread-safe; its descriptor is another's to close. */
public final class IommufdSpace implements IommuSpace {
    /** The kernel's ids begin with 1. */
    private static final int NO_PAGE_TABLE = 0;

    private final IommuFile iommufd;
    private final PageTable pageTable;
    private final Optional<OwnMemory> own;

    /** What translates the addresses of a device. */
    public sealed interface PageTable {}

    /**
     * A page table that was made to track dirty pages, or was said to be.
     *
     * @param id of the kernel's
     */
    public record Tracking(int id) implements PageTable {}

    /**
     * One that cannot, or none: the kernel makes it where the device has an IOMMU.
     *
     * @param reason why not, for people
     */
    public record Plain(String reason) implements PageTable {}

    private IommufdSpace(IommuFile iommufd, PageTable pageTable, Optional<OwnMemory> own) {
        this.iommufd = iommufd;
        this.pageTable = pageTable;
        this.own = own;
    }

    /** The space of a device that another process has attached, to a page table that can track dirty pages. */
    public static IommufdSpace ofPageTable(SystemCalls calls, Descriptor iommufd, String name, int pageTable) {
        return new IommufdSpace(new IommuFile(calls, iommufd, name), new Tracking(pageTable), Optional.empty());
    }

    /** The space of devices that are attached here. */
    static IommufdSpace opened(IommuFile iommufd, int ioas, PageTable pageTable, long pageSize) {
        return new IommufdSpace(
                iommufd, pageTable, Optional.of(new OwnMemory(new IommufdMapping(iommufd, ioas), pageSize)));
    }

    /** What translates the addresses. */
    public PageTable pageTable() {
        return pageTable;
    }

    /** One request on the iommufd: what the kernel gives, or the negated error number. */
    public int ioctl(int request, MemorySegment argument) {
        return iommufd.ioctl(request, argument);
    }

    /**
     * Asks for the dirty bitmap of one page, and clears no mark: disturbs nobody who records.
     *
     * @return what the kernel gives, or the negated error number; ENOTTY is no answer of an iommufd that can track
     */
    public int askOfOnePage(int hwptId, long pageSize) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(GetDirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, GetDirtyBitmap.BYTES);
            argument.set(JAVA_INT, GetDirtyBitmap.HWPT_ID, hwptId);
            argument.set(JAVA_INT, GetDirtyBitmap.FLAGS, GetDirtyBitmap.IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
            argument.set(JAVA_LONG, GetDirtyBitmap.LENGTH, pageSize);
            argument.set(JAVA_LONG, GetDirtyBitmap.PAGE_SIZE, pageSize);
            argument.set(ADDRESS, GetDirtyBitmap.DATA, KernelBitmap.allocate(arena, 1, pageSize));
            return iommufd.ioctl(Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP, argument);
        }
    }

    /**
     * Demands that this is an iommufd, of a kernel that can tell dirty pages.
     *
     * @throws DeviceException EINVAL
     */
    public void requireIommufd() throws DeviceException {
        if (askOfOnePage(NO_PAGE_TABLE, iommufd.calls().pageSize()) == -LinuxErrno.ENOTTY) {
            throw new DeviceException(Errno.EINVAL,
                    "the second descriptor is of no iommufd, or of one whose kernel cannot tell dirty pages");
        }
    }

    @Override
    public SameFile recordsWith(IommuSpace other) {
        return other instanceof IommufdSpace space && pageTable.equals(space.pageTable)
                ? iommufd.isSameAs(space.iommufd)
                : SameFile.NO;
    }

    @Override
    public Optional<OwnMemory> own() {
        return own;
    }

    @Override
    public boolean isClosed() {
        return iommufd.descriptor().isClosed();
    }
}
