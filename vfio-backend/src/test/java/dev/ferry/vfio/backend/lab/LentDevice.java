// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.handover.HandoverClient;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.BindIommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A device that this program has opened, as a VMM does, and lends to another: the calls are a VMM's, not our driver's. */
final class LentDevice implements AutoCloseable {
    private final SystemCalls calls = new LinuxSystemCalls();
    private final List<Integer> open = new ArrayList<>();
    private final String name;
    private final int fd;
    /** What is lent beside the device: the words for it, and its descriptor. */
    private final String beside;

    private final int[] descriptors;
    private HandoverClient connection;

    LentDevice(HostDevices devices, String name, boolean byGroup) throws Exception {
        this.name = name;
        FoundDevice found = devices.found(name);
        if (byGroup) {
            int container = open("/dev/vfio/vfio");
            fd = ofGroup(open("/dev/vfio/" + found.group().orElseThrow()), container);
            beside = " container";
            descriptors = new int[] {fd, container};
        } else {
            fd = open("/dev/vfio/devices/" + found.cdev().orElseThrow());
            bind(open("/dev/iommu"));
            beside = "";
            descriptors = new int[] {fd};
        }
    }

    private int open(String path) {
        int number = calls.open(path, Posix.O_RDWR | Posix.O_CLOEXEC);
        demand(number >= 0, "%s cannot be opened: %s", path, LinuxErrno.name(-number));
        open.add(number);
        return number;
    }

    private int ofGroup(int group, int container) {
        try (Arena arena = Arena.ofConfined()) {
            int joined = calls.ioctl(group, VfioIoctl.VFIO_GROUP_SET_CONTAINER, arena.allocateFrom(JAVA_INT, container));
            int iommu = calls.ioctl(container, VfioIoctl.VFIO_SET_IOMMU, VfioIoctl.VFIO_TYPE1v2_IOMMU);
            int device = calls.ioctl(group, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(name));
            demand(joined == 0 && iommu == 0 && device >= 0, "%s: %d, %d, %d", name, joined, iommu, device);
            open.add(device);
            return device;
        }
    }

    private void bind(int iommufd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(BindIommufd.BYTES, Long.BYTES);
            argument.set(JAVA_INT, BindIommufd.ARGSZ, BindIommufd.BYTES);
            argument.set(JAVA_INT, BindIommufd.IOMMUFD, iommufd);
            int bound = calls.ioctl(fd, VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD, argument);
            demand(bound == 0, "%s: %d", name, bound);
        }
    }

    String name() {
        return name;
    }

    /** The device, for its owner; not to be closed. */
    VfioDevice device() {
        return new VfioDevice(calls, new Descriptor(calls, fd), name);
    }

    /** Region 0 of it. */
    Region registers() throws Exception {
        return device().region(0);
    }

    /** Lends it on a connection of its own; gives the answer. */
    String lend(Path socket) {
        return lendAs(socket, name);
    }

    /** Lends it under another device's name. */
    String lendAs(Path socket, String other) {
        end();
        connection = new HandoverClient(calls, socket);
        return connection.ask("ferry-vfio 1 lend " + other + beside, descriptors);
    }

    /** Wants it back; gives the answer, behind which nobody uses it. */
    String takeBack() {
        return connection.ask("ferry-vfio 1 return");
    }

    private void end() {
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    @Override
    public void close() {
        end();
        open.reversed().forEach(calls::close);
    }
}
