// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.GroupStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The older way: the IOMMU group is opened, joined to a container with a type 1 IOMMU, and asked for the device.
 *
 * <p>A group can be open once, so devices of one group share it and its container; both are closed behind the last.
 */
final class GroupWay {
    private final SystemCalls calls;
    private final DeviceFiles files;
    private final SharedByGroup<Group> groups = new SharedByGroup<>();

    /** An open group with its container, and the space behind that. */
    private record Group(Descriptor group, Descriptor container, ContainerSpace space) implements SharedByGroup.Shared {
        @Override
        public void close() {
            group.close();
            container.close();
        }
    }

    GroupWay(SystemCalls calls, DeviceFiles files) {
        this.calls = calls;
        this.files = files;
    }

    OpenDevice open(String number, String device, String name, String why) throws DeviceException {
        SharedByGroup.Share<Group> share = groups.join(number, () -> join(number));
        try {
            VfioDevice opened = device(share.get(), device, name);
            String way = "group %s and container (%s)".formatted(number, why);
            return new OpenDevice(opened, Optional.of(share.get().space), way, share::close);
        } catch (DeviceException e) {
            share.close();
            throw e;
        }
    }

    private Group join(String number) throws DeviceException {
        Descriptor group = files.open(DeviceFiles.GROUPS + number);
        try {
            requireViable(group, number);
            Descriptor container = files.open(DeviceFiles.CONTAINER);
            try {
                join(group, container, number);
                return new Group(group, container,
                        ContainerSpace.opened(calls, container, "the container of group " + number));
            } catch (DeviceException e) {
                container.close();
                throw e;
            }
        } catch (DeviceException e) {
            group.close();
            throw e;
        }
    }

    private void requireViable(Descriptor group, String number) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(GroupStatus.BYTES, Long.BYTES);
            status.set(JAVA_INT, GroupStatus.ARGSZ, GroupStatus.BYTES);
            require(ioctl(group, VfioIoctl.VFIO_GROUP_GET_STATUS, status), number, VfioIoctl.VFIO_GROUP_GET_STATUS,
                    "VFIO_GROUP_GET_STATUS");
            if ((status.get(JAVA_INT, GroupStatus.FLAGS) & GroupStatus.FLAG_VIABLE) == 0) {
                throw new DeviceException(Errno.EBUSY,
                        "IOMMU group %s is not viable: bind all of its devices to VFIO drivers, or to none"
                                .formatted(number));
            }
        }
    }

    private void join(Descriptor group, Descriptor container, String number) throws DeviceException {
        int version = (int) container.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_GET_API_VERSION, 0));
        require(version, number, VfioIoctl.VFIO_GET_API_VERSION, "VFIO_GET_API_VERSION");
        if (version != VfioIoctl.VFIO_API_VERSION) {
            throw new DeviceException(Errno.EOPNOTSUPP, "the kernel's VFIO has version " + version + ", not 0");
        }
        int type = supports(container, VfioIoctl.VFIO_TYPE1v2_IOMMU, number)
                ? VfioIoctl.VFIO_TYPE1v2_IOMMU
                : VfioIoctl.VFIO_TYPE1_IOMMU;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(JAVA_INT);
            long joined = container.use(fd -> {
                pointer.set(JAVA_INT, 0, fd);
                return ioctl(group, VfioIoctl.VFIO_GROUP_SET_CONTAINER, pointer);
            });
            require(joined, number, VfioIoctl.VFIO_GROUP_SET_CONTAINER, "VFIO_GROUP_SET_CONTAINER");
        }
        require(container.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_SET_IOMMU, type)), number,
                VfioIoctl.VFIO_SET_IOMMU, "VFIO_SET_IOMMU");
    }

    private boolean supports(Descriptor container, long type, String number) throws DeviceException {
        long supported = container.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_CHECK_EXTENSION, type));
        require(supported, number, VfioIoctl.VFIO_CHECK_EXTENSION, "VFIO_CHECK_EXTENSION");
        return supported > 0;
    }

    private VfioDevice device(Group group, String device, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            long fd = ioctl(group.group, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(device));
            if (fd < 0) {
                throw new KernelException(name, "VFIO_GROUP_GET_DEVICE_FD", (int) -fd,
                        Advice.on(VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, (int) -fd));
            }
            return new VfioDevice(calls, new Descriptor(calls, (int) fd), name);
        }
    }

    private long ioctl(Descriptor descriptor, int request, MemorySegment argument) {
        return descriptor.use(fd -> calls.ioctl(fd, request, argument));
    }

    private static void require(long result, String number, int request, String call) throws DeviceException {
        if (result < 0) {
            throw new KernelException(
                    "IOMMU group " + number, call, (int) -result, Advice.on(request, (int) -result));
        }
    }
}
