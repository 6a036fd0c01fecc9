// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.lang.foreign.MemorySegment;

/** The requests on the way to a device, under the kernel's names. */
enum OpeningRequest {
    // Group and container.
    VFIO_GROUP_GET_STATUS(VfioIoctl.VFIO_GROUP_GET_STATUS),
    VFIO_GET_API_VERSION(VfioIoctl.VFIO_GET_API_VERSION),
    VFIO_CHECK_EXTENSION(VfioIoctl.VFIO_CHECK_EXTENSION),
    VFIO_GROUP_SET_CONTAINER(VfioIoctl.VFIO_GROUP_SET_CONTAINER),
    VFIO_SET_IOMMU(VfioIoctl.VFIO_SET_IOMMU),
    VFIO_GROUP_GET_DEVICE_FD(VfioIoctl.VFIO_GROUP_GET_DEVICE_FD),
    // Character device and iommufd.
    IOMMU_IOAS_ALLOC(Iommufd.IOMMU_IOAS_ALLOC),
    VFIO_DEVICE_BIND_IOMMUFD(VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD),
    VFIO_DEVICE_ATTACH_IOMMUFD_PT(VfioIoctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT);

    private final int number;

    OpeningRequest(int number) {
        this.number = number;
    }

    /**
     * Makes the request.
     *
     * @param name what for, in messages
     * @return what the kernel gives, 0 or more
     * @throws DeviceException that says what to do, as far as somebody can tell
     */
    int make(SystemCalls calls, Descriptor file, MemorySegment argument, String name) throws DeviceException {
        return succeeded(file.use(fd -> calls.ioctl(fd, number, argument)), name);
    }

    /** As above, for a request that takes a number. */
    int make(SystemCalls calls, Descriptor file, long argument, String name) throws DeviceException {
        return succeeded(file.use(fd -> calls.ioctl(fd, number, argument)), name);
    }

    /** As above, with the number of another open file at a place in the argument. */
    int make(SystemCalls calls, Descriptor file, MemorySegment argument, long at, Descriptor other, String name)
            throws DeviceException {
        return succeeded(other.use(fd -> {
            argument.set(JAVA_INT, at, fd);
            return file.use(open -> calls.ioctl(open, number, argument));
        }), name);
    }

    private int succeeded(long result, String name) throws DeviceException {
        if (result < 0) {
            throw new KernelException(name, name(), (int) -result, Advice.on(this, (int) -result));
        }
        return (int) result;
    }
}
