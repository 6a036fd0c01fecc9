// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
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

    /** An open group with its container, and the addresses behind that. */
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
        } catch (Throwable e) {
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
                join(group, container, "IOMMU group " + number);
                return new Group(group, container,
                        ContainerSpace.opened(calls, container, "the container of group " + number));
            } catch (Throwable e) {
                container.close();
                throw e;
            }
        } catch (Throwable e) {
            group.close();
            throw e;
        }
    }

    private void requireViable(Descriptor group, String number) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(GroupStatus.BYTES, Long.BYTES);
            status.set(JAVA_INT, GroupStatus.ARGSZ, GroupStatus.BYTES);
            OpeningRequest.VFIO_GROUP_GET_STATUS.make(calls, group, status, "IOMMU group " + number);
            if ((status.get(JAVA_INT, GroupStatus.FLAGS) & GroupStatus.VFIO_GROUP_FLAGS_VIABLE) == 0) {
                throw new DeviceException(Errno.EBUSY,
                        "IOMMU group %s is not viable: bind all of its devices to VFIO drivers, or to none"
                                .formatted(number));
            }
        }
    }

    private void join(Descriptor group, Descriptor container, String name) throws DeviceException {
        int version = OpeningRequest.VFIO_GET_API_VERSION.make(calls, container, 0, name);
        if (version != VfioIoctl.VFIO_API_VERSION) {
            throw new DeviceException(Errno.EOPNOTSUPP, "the kernel's VFIO has version " + version + ", not 0");
        }
        boolean newer = OpeningRequest.VFIO_CHECK_EXTENSION.make(
                calls, container, VfioIoctl.VFIO_TYPE1v2_IOMMU, name) > 0;
        try (Arena arena = Arena.ofConfined()) {
            OpeningRequest.VFIO_GROUP_SET_CONTAINER.make(calls, group, arena.allocate(JAVA_INT), 0, container, name);
        }
        OpeningRequest.VFIO_SET_IOMMU.make(
                calls, container, newer ? VfioIoctl.VFIO_TYPE1v2_IOMMU : VfioIoctl.VFIO_TYPE1_IOMMU, name);
    }

    private VfioDevice device(Group group, String device, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            int fd = OpeningRequest.VFIO_GROUP_GET_DEVICE_FD.make(
                    calls, group.group, arena.allocateFrom(device), name);
            return new VfioDevice(calls, new Descriptor(calls, fd), name);
        }
    }
}
