// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.PageTable;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Plain;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Tracking;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.HwptAlloc;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.Option;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Makes a page table that marks the pages that a device wrote: {@code IOMMU_HWPT_ALLOC} of {@code linux/iommufd.h}.
 *
 * <p>Where the IOMMU has one page for many of the host's it has one mark for all of them, which a report clears, and
 * tells of the range alone that was asked for. So the space is told to map in pages of the host's size.
 */
final class TrackingPageTable {
    private static final String CALL = "IOMMU_HWPT_ALLOC";
    private static final String OPTION = "IOMMU_OPTION";

    /**
     * Makes one for a device that is bound and not attached.
     *
     * @param ioas the id of the address space whose mappings it has; none yet
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
                    ? withSmallPages(iommufd, ioas, new Tracking(argument.get(JAVA_INT, HwptAlloc.OUT_HWPT_ID)))
                    : plain(whyNot(iommufd, -result), CALL, -result);
        }
    }

    private static Plain plain(String whyNot, String call, int number) {
        return new Plain("%s (%s: %s)".formatted(whyNot, call, LinuxErrno.name(number)));
    }

    private static PageTable withSmallPages(IommuFile iommufd, int ioas, Tracking made) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Option.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, Option.BYTES);
            argument.set(JAVA_INT, Option.OPTION_ID, Option.IOMMU_OPTION_HUGE_PAGES);
            argument.set(JAVA_SHORT, Option.OP, (short) Option.IOMMU_OPTION_OP_SET);
            argument.set(JAVA_INT, Option.OBJECT_ID, ioas);
            argument.set(JAVA_LONG, Option.VAL64, 0);
            int result = iommufd.ioctl(Iommufd.IOMMU_OPTION, argument);
            return switch (-result) {
                case 0 -> made;
                case LinuxErrno.EINVAL, LinuxErrno.ENOTTY, LinuxErrno.EOPNOTSUPP ->
                    plain("the kernel does not have a mark for each page of the host's", OPTION, -result);
                default -> throw new KernelException(iommufd.name(), OPTION, -result);
            };
        }
    }

    private static String whyNot(IommuFile iommufd, int number) throws DeviceException {
        return switch (number) {
            case LinuxErrno.EOPNOTSUPP -> "the IOMMU, or the kernel (before 6.7), marks no written pages";
            case LinuxErrno.ENOENT -> "a mediated device has no page table";
            case LinuxErrno.EINVAL, LinuxErrno.ENOTTY -> "the kernel makes no page table that marks written pages";
            default -> throw new KernelException(iommufd.name(), CALL, number);
        };
    }

    private TrackingPageTable() {}
}
