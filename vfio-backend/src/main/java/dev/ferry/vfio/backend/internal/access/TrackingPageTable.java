// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.PageTable;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Plain;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Tracking;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.HwptAlloc;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Makes a page table that marks the pages that a device wrote: {@code IOMMU_HWPT_ALLOC} of {@code linux/iommufd.h}. */
final class TrackingPageTable {
    private static final String CALL = "IOMMU_HWPT_ALLOC";

    /**
     * Makes one for a device that is bound and not attached.
     *
     * @param ioas the id of the address space whose mappings it has
     * @param device the id that binding gave
     * @return with the reason, where IOMMU, device or kernel do not have such
     */
    static PageTable make(IommuFile iommufd, int ioas, int device) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(HwptAlloc.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, HwptAlloc.BYTES);
            argument.set(JAVA_INT, HwptAlloc.FLAGS, HwptAlloc.IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
            argument.set(JAVA_INT, HwptAlloc.DEV_ID, device);
            argument.set(JAVA_INT, HwptAlloc.PT_ID, ioas);
            int result = iommufd.ioctl(Iommufd.IOMMU_HWPT_ALLOC, argument);
            return result == 0
                    ? new Tracking(argument.get(JAVA_INT, HwptAlloc.OUT_HWPT_ID))
                    : new Plain("%s (%s: %s)".formatted(
                            whyNot(iommufd, -result), CALL, LinuxErrno.name(-result)));
        }
    }

    private static String whyNot(IommuFile iommufd, int number) throws DeviceException {
        return switch (number) {
            case LinuxErrno.EOPNOTSUPP -> "the IOMMU does not mark written pages";
            case LinuxErrno.ENOENT -> "a mediated device has no page table";
            case LinuxErrno.EINVAL, LinuxErrno.ENOTTY -> "the kernel makes no page table that marks written pages";
            default -> throw new KernelException(iommufd.name(), CALL, number);
        };
    }

    private TrackingPageTable() {}
}
