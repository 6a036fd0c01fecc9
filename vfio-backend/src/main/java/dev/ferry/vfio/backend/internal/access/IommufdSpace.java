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
import dev.ferry.vfio.backend.internal.uapi.Iommufd.HwInfo;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.HwptAlloc;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasAlloc;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasMap;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasUnmap;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalInt;

/** An I/O address space of iommufd (IOAS). Thread-safe; the descriptor is its opener's. */
public final class IommufdSpace implements IommuSpace {
    private final IommuFile iommufd;
    /** Where memory is mapped; empty when somebody else does that. */
    private final OptionalInt ioas;
    /** What the space's devices are attached to; empty before the first. */
    private OptionalInt pageTable = OptionalInt.empty();
    /** The same when it can track dirty pages. */
    private OptionalInt trackingPageTable = OptionalInt.empty();
    private String trackingObstacle = "the IOMMU behind the device cannot track";

    private IommufdSpace(IommuFile iommufd, OptionalInt ioas) {
        this.iommufd = iommufd;
        this.ioas = ioas;
    }

    /** A new, empty space. */
    static IommufdSpace allocate(SystemCalls calls, Descriptor iommufd, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(IoasAlloc.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, IoasAlloc.BYTES);
            IommuFile file = new IommuFile(calls, iommufd, name, false);
            file.request(Iommufd.IOMMU_IOAS_ALLOC, argument, "IOMMU_IOAS_ALLOC");
            return new IommufdSpace(file, OptionalInt.of(argument.get(JAVA_INT, IoasAlloc.OUT_IOAS_ID)));
        }
    }

    /** The space of a device that another process has attached, to a page table that can track dirty pages. */
    public static IommufdSpace ofPageTable(SystemCalls calls, Descriptor iommufd, String name, int pageTable) {
        IommufdSpace space = new IommufdSpace(new IommuFile(calls, iommufd, name, true), OptionalInt.empty());
        space.trackingPageTable = OptionalInt.of(pageTable);
        return space;
    }

    /**
     * What a device is to be attached to: a page table that tracks dirty pages where the IOMMU can do that, else the
     * space itself, for which the kernel makes an ordinary one. The first device decides for the others: the kernel
     * attaches the devices of one group to one page table.
     *
     * @param device the id that binding gave
     * @throws DeviceException EOPNOTSUPP for a space that is another process's
     */
    synchronized int pageTableFor(int device) throws DeviceException {
        if (pageTable.isEmpty()) {
            int own = requireOwn();
            trackingPageTable = canTrack(device) ? newTrackingPageTable(device, own) : OptionalInt.empty();
            pageTable = OptionalInt.of(trackingPageTable.orElse(own));
        }
        return pageTable.getAsInt();
    }

    private int requireOwn() throws DeviceException {
        return ioas.orElseThrow(() -> new DeviceException(Errno.EOPNOTSUPP,
                "the address space of %s is another process's, which attaches devices and maps memory itself"
                        .formatted(iommufd.name())));
    }

    private OptionalInt newTrackingPageTable(int device, int own) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(HwptAlloc.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, HwptAlloc.BYTES);
            argument.set(JAVA_INT, HwptAlloc.FLAGS, HwptAlloc.FLAG_DIRTY_TRACKING);
            argument.set(JAVA_INT, HwptAlloc.DEV_ID, device);
            argument.set(JAVA_INT, HwptAlloc.PT_ID, own);
            return succeeds(Iommufd.IOMMU_HWPT_ALLOC, argument, "IOMMU_HWPT_ALLOC")
                    ? OptionalInt.of(argument.get(JAVA_INT, HwptAlloc.OUT_HWPT_ID))
                    : OptionalInt.empty();
        }
    }

    /** A mediated device has no IOMMU of its own, and older kernels cannot be asked: both mean no. */
    private boolean canTrack(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(HwInfo.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, HwInfo.BYTES);
            argument.set(JAVA_INT, HwInfo.DEV_ID, device);
            return succeeds(Iommufd.IOMMU_GET_HW_INFO, argument, "IOMMU_GET_HW_INFO")
                    && (argument.get(JAVA_LONG, HwInfo.OUT_CAPABILITIES) & HwInfo.CAP_DIRTY_TRACKING) != 0;
        }
    }

    private boolean succeeds(int request, MemorySegment argument, String call) {
        int result = ioctl(request, argument);
        if (result < 0) {
            trackingObstacle += ": %s failed (%s)".formatted(call, LinuxErrno.name(-result));
        }
        return result == 0;
    }

    /** Why there is no {@link #trackingPageTable}, for people. */
    public synchronized String trackingObstacle() {
        return trackingObstacle;
    }

    /** The page table that tracks dirty pages; empty when the device's IOMMU cannot. */
    public synchronized OptionalInt trackingPageTable() {
        return trackingPageTable;
    }

    /** One request on the iommufd: what the kernel gives, or the negated error number. */
    public int ioctl(int request, MemorySegment argument) {
        return iommufd.ioctl(request, argument);
    }

    @Override
    public void map(long iova, MemorySegment memory) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(IoasMap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, IoasMap.BYTES);
            argument.set(JAVA_INT, IoasMap.FLAGS,
                    IoasMap.FLAG_FIXED_IOVA | IoasMap.FLAG_READABLE | IoasMap.FLAG_WRITEABLE);
            argument.set(JAVA_INT, IoasMap.IOAS_ID, requireOwn());
            argument.set(ADDRESS, IoasMap.USER_VA, memory);
            argument.set(JAVA_LONG, IoasMap.LENGTH, memory.byteSize());
            argument.set(JAVA_LONG, IoasMap.IOVA, iova);
            iommufd.request(Iommufd.IOMMU_IOAS_MAP, argument, "IOMMU_IOAS_MAP");
        }
    }

    @Override
    public void unmap(long iova, long size) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(IoasUnmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, IoasUnmap.BYTES);
            argument.set(JAVA_INT, IoasUnmap.IOAS_ID, requireOwn());
            argument.set(JAVA_LONG, IoasUnmap.IOVA, iova);
            argument.set(JAVA_LONG, IoasUnmap.LENGTH, size);
            iommufd.request(Iommufd.IOMMU_IOAS_UNMAP, argument, "IOMMU_IOAS_UNMAP");
        }
    }

    @Override
    public SameFile recordsWith(IommuSpace other) {
        return other instanceof IommufdSpace space && trackingPageTable().equals(space.trackingPageTable())
                ? iommufd.isSameAs(space.iommufd)
                : SameFile.NO;
    }

    @Override
    public boolean isLent() {
        return iommufd.lent();
    }

    @Override
    public boolean isClosed() {
        return iommufd.descriptor().isClosed();
    }
}
