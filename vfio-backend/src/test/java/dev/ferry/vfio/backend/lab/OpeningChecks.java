// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.contract.Check;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.BindIommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the kernel answers on the way to a device, asked without a driver between; the fake kernel answers it, too. */
final class OpeningChecks {
    private static final String NOBODY = "00000000-0000-0000-0000-000000000000";

    private final HostDevices devices;
    private final SystemCalls calls;
    private final FoundDevice device;

    OpeningChecks(HostDevices devices, String name) throws Exception {
        this.devices = devices;
        this.calls = devices.calls();
        this.device = devices.found(name);
    }

    /** Of the way that the kernel offers; sysfs names a character device where there is none, too. */
    List<Check> checks() {
        return Files.exists(Path.of(devices.file("iommu")))
                ? List.of(new Check("the kernel's answers on the way by character device", this::characterDevice))
                : List.of(new Check("the kernel's answers on the way by group", this::group));
    }

    private void group() {
        String path = devices.file("vfio/" + device.group().orElseThrow());
        try (Descriptors open = new Descriptors();
                Arena arena = Arena.ofConfined()) {
            int group = open.open(path);
            expect("a second open of a group", calls.open(path, Posix.O_RDWR | Posix.O_CLOEXEC), LinuxErrno.EBUSY);
            MemorySegment name = arena.allocateFrom(device.name());
            expect("a device before there is a container",
                    calls.ioctl(group, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, name), LinuxErrno.EINVAL);
            int container = open.open(devices.file("vfio/vfio"));
            MemorySegment pointer = arena.allocateFrom(JAVA_INT, container);
            demand(calls.ioctl(group, VfioIoctl.VFIO_GROUP_SET_CONTAINER, pointer) == 0, "no container");
            expect("a device before there is an IOMMU",
                    calls.ioctl(group, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, name), LinuxErrno.EINVAL);
            demand(calls.ioctl(container, VfioIoctl.VFIO_SET_IOMMU, VfioIoctl.VFIO_TYPE1v2_IOMMU) == 0, "no IOMMU");
            expect("a device that is not in the group",
                    calls.ioctl(group, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(NOBODY)),
                    LinuxErrno.ENODEV);
        }
    }

    private void characterDevice() {
        try (Descriptors open = new Descriptors();
                Arena arena = Arena.ofConfined()) {
            int cdev = open.open(devices.file("vfio/devices/" + device.cdev().orElseThrow()));
            MemorySegment feature = arena.allocate(DeviceFeature.Header.BYTES + Long.BYTES, Long.BYTES);
            feature.set(JAVA_INT, DeviceFeature.Header.ARGSZ, (int) feature.byteSize());
            feature.set(JAVA_INT, DeviceFeature.Header.FLAGS, DeviceFeature.MIGRATION | DeviceFeature.GET);
            expect("a feature before the device is bound",
                    calls.ioctl(cdev, VfioIoctl.VFIO_DEVICE_FEATURE, feature), LinuxErrno.EINVAL);
            MemorySegment bind = arena.allocate(BindIommufd.BYTES, Long.BYTES);
            bind.set(JAVA_INT, BindIommufd.ARGSZ, BindIommufd.BYTES);
            bind.set(JAVA_INT, BindIommufd.IOMMUFD, open.open(devices.file("iommu")));
            demand(calls.ioctl(cdev, VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD, bind) == 0, "cannot be bound");
            demand(calls.ioctl(cdev, VfioIoctl.VFIO_DEVICE_FEATURE, feature) == 0, "no features although it is bound");
            expect("a second bind", calls.ioctl(cdev, VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD, bind), LinuxErrno.EINVAL);
            expect("the group of a device that is bound",
                    calls.open(devices.file("vfio/" + device.group().orElseThrow()), Posix.O_RDWR | Posix.O_CLOEXEC),
                    LinuxErrno.EBUSY);
        }
    }

    private static void expect(String what, int result, int errno) {
        demand(result == -errno, "%s gives %s instead of %s", what,
                result >= 0 ? "success" : LinuxErrno.name(-result), LinuxErrno.name(errno));
    }

    /** What a check has open. */
    private final class Descriptors implements AutoCloseable {
        private final List<Integer> open = new ArrayList<>();

        int open(String path) {
            int fd = calls.open(path, Posix.O_RDWR | Posix.O_CLOEXEC);
            demand(fd >= 0, "%s cannot be opened: %s", path, LinuxErrno.name(-fd));
            open.add(fd);
            return fd;
        }

        @Override
        public void close() {
            open.reversed().forEach(calls::close);
        }
    }
}
