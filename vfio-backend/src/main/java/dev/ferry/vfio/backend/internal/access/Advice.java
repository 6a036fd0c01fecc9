// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;

/** What to do when the kernel does not let a device be opened: the same error means another thing for each request. */
final class Advice {
    private static final String INTERRUPTS = "the host cannot keep the interrupts of its devices apart: "
            + "switch interrupt remapping on, or, where every guest is trusted, set allow_unsafe_interrupts of ";
    private static final String TOKEN = "it is a VF whose PF is bound to vfio-pci and guards it with a token "
            + "(PCI_VF_TOKEN); bind the PF to its own driver, or have the device handed over";

    private Advice() {}

    /**
     * A sentence that says what to do.
     *
     * @param request that failed
     * @param number the kernel's error number
     * @return empty when the error says enough, or nobody can say more
     */
    static String on(OpeningRequest request, int number) {
        return switch (request) {
            case VFIO_SET_IOMMU -> onSetIommu(number);
            case VFIO_GROUP_GET_DEVICE_FD -> onGetDevice(number);
            case VFIO_DEVICE_BIND_IOMMUFD -> onBind(number);
            case VFIO_GROUP_GET_STATUS, VFIO_GET_API_VERSION, VFIO_CHECK_EXTENSION, VFIO_GROUP_SET_CONTAINER,
                    IOMMU_IOAS_ALLOC, VFIO_DEVICE_ATTACH_IOMMUFD_PT -> "";
        };
    }

    private static String onSetIommu(int number) {
        return switch (number) {
            case LinuxErrno.ENODEV -> "load the module vfio_iommu_type1";
            case LinuxErrno.EPERM -> INTERRUPTS + "vfio_iommu_type1";
            default -> "";
        };
    }

    private static String onGetDevice(int number) {
        return switch (number) {
            case LinuxErrno.EACCES -> TOKEN;
            case LinuxErrno.ENODEV -> "it has left its IOMMU group or its VFIO driver; bind it to that again";
            default -> "";
        };
    }

    private static String onBind(int number) {
        return switch (number) {
            case LinuxErrno.EACCES -> TOKEN;
            case LinuxErrno.EPERM -> "another process, or a driver that is not VFIO's, has a device of the same IOMMU "
                    + "group: end it or unbind it, or let it hand this one over; if there is none, " + INTERRUPTS
                    + "iommufd";
            case LinuxErrno.EBUSY -> "its IOMMU group is open in the older way; close that, or set access to group";
            default -> "";
        };
    }
}
