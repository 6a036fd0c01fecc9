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
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The older way: the IOMMU group is opened, joined to a container with a type 1 IOMMU, and asked for the device.
 *
 * <p>A group can be open once, so devices of one group share it and its container; both are closed behind the last.
 */
final class GroupWay {
    private final SystemCalls calls;
    private final DeviceFiles files;
    private final Map<String, Group> open = new HashMap<>();

    /** An open group with its container, and the devices of it that are open: a device can leave only once. */
    private static final class Group {
        final Descriptor group;
        final Descriptor container;
        final Set<VfioDevice> devices = new HashSet<>();

        Group(Descriptor group, Descriptor container) {
            this.group = group;
            this.container = container;
        }
    }

    GroupWay(SystemCalls calls, DeviceFiles files) {
        this.calls = calls;
        this.files = files;
    }

    synchronized OpenDevice open(String number, String device, String name, String why) throws DeviceException {
        Group group = open.get(number);
        if (group == null) {
            group = join(number);
            open.put(number, group);
        }
        try {
            VfioDevice opened = device(group, device, name);
            group.devices.add(opened);
            ContainerSpace space = new ContainerSpace(calls, group.container, "the container of group " + number);
            String way = "group %s and container (%s)".formatted(number, why);
            Group joined = group;
            return new OpenDevice(opened, Optional.of(space), way, () -> leave(number, joined, opened));
        } catch (DeviceException e) {
            closeUnused(number, group);
            throw e;
        }
    }

    private synchronized void leave(String number, Group group, VfioDevice device) {
        if (group.devices.remove(device)) {
            closeUnused(number, group);
        }
    }

    private void closeUnused(String number, Group group) {
        if (group.devices.isEmpty()) {
            open.remove(number);
            group.group.close();
            group.container.close();
        }
    }

    private Group join(String number) throws DeviceException {
        Descriptor group = files.open(DeviceFiles.GROUPS + number);
        try {
            requireViable(group, number);
            Descriptor container = files.open(DeviceFiles.CONTAINER);
            try {
                join(group, container, number);
                return new Group(group, container);
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
            require(ioctl(group, VfioIoctl.VFIO_GROUP_GET_STATUS, status), number, "VFIO_GROUP_GET_STATUS");
            if ((status.get(JAVA_INT, GroupStatus.FLAGS) & GroupStatus.FLAG_VIABLE) == 0) {
                throw new DeviceException(Errno.EBUSY,
                        "IOMMU group %s is not viable: bind all of its devices to VFIO drivers, or to none"
                                .formatted(number));
            }
        }
    }

    private void join(Descriptor group, Descriptor container, String number) throws DeviceException {
        int version = (int) container.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_GET_API_VERSION, 0));
        require(version, number, "VFIO_GET_API_VERSION");
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
            require(joined, number, "VFIO_GROUP_SET_CONTAINER");
        }
        require(container.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_SET_IOMMU, type)), number, "VFIO_SET_IOMMU",
                "load the module vfio_iommu_type1");
    }

    private boolean supports(Descriptor container, long type, String number) throws DeviceException {
        long supported = container.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_CHECK_EXTENSION, type));
        require(supported, number, "VFIO_CHECK_EXTENSION");
        return supported > 0;
    }

    private VfioDevice device(Group group, String device, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            long fd = ioctl(group.group, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(device));
            if (fd < 0) {
                throw new KernelException(name, "VFIO_GROUP_GET_DEVICE_FD", (int) -fd);
            }
            return new VfioDevice(calls, new Descriptor(calls, (int) fd), name);
        }
    }

    private long ioctl(Descriptor descriptor, int request, MemorySegment argument) {
        return descriptor.use(fd -> calls.ioctl(fd, request, argument));
    }

    private static void require(long result, String number, String call) throws DeviceException {
        require(result, number, call, "");
    }

    private static void require(long result, String number, String call, String advice) throws DeviceException {
        if (result < 0) {
            throw new KernelException("IOMMU group " + number, call, (int) -result, advice);
        }
    }
}
