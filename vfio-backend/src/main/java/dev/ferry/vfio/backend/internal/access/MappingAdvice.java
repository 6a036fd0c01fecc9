// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;

/** What to do when the kernel does not map memory: the same for a container and an iommufd. */
final class MappingAdvice {

    /** Demands that memory was mapped. */
    static void require(IommuFile file, int result, String call) throws DeviceException {
        if (result < 0) {
            throw new KernelException(file.name(), call, -result, on(-result));
        }
    }

    private static String on(int number) {
        return switch (number) {
            case LinuxErrno.EEXIST -> "a part of these addresses is mapped, for this device or another one of its "
                    + "IOMMU group: close that mapping first";
            case LinuxErrno.EINVAL -> "the IOMMU cannot map these addresses: they are reserved, as those of interrupts "
                    + "are, or too high; reserved_regions of the group in /sys/kernel/iommu_groups lists them";
            case LinuxErrno.ENOMEM -> "this process may not lock so much memory: raise RLIMIT_MEMLOCK (ulimit -l, "
                    + "LimitMEMLOCK of a systemd unit), or map less";
            case LinuxErrno.ENOSPC -> "the container takes no more mappings: map larger pieces, or raise "
                    + "dma_entry_limit of the module vfio_iommu_type1";
            case LinuxErrno.EFAULT -> "the memory is not there, or cannot be written: a mapped file may have become "
                    + "shorter, or be open for reading only";
            default -> "";
        };
    }

    private MappingAdvice() {}
}
