// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

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
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DirtyBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A device that this program has opened by a VMM's calls, not by our driver's, and lends to another program. */
final class LentDevice implements AutoCloseable {
    /** A mediated device has none, and nothing may be asked of it while it is lent. */
    private static final int NO_PAGE_TABLE = 7;

    private static final long PAGE = 4096;

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
            int iommufd = open("/dev/iommu");
            bind(iommufd);
            beside = " iommufd " + NO_PAGE_TABLE;
            descriptors = new int[] {fd, iommufd};
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
            MemorySegment pointer = arena.allocateFrom(JAVA_INT, container);
            int joined = calls.ioctl(group, VfioIoctl.VFIO_GROUP_SET_CONTAINER, pointer);
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
        end();
        connection = new HandoverClient(calls, socket);
        return lendOn(connection, name);
    }

    /** Lends it on a connection, under this name; gives the answer. */
    String lendOn(HandoverClient other, String as) {
        return other.ask(offer(as), descriptors);
    }

    /** The words that lend it under this name. */
    String offer(String as) {
        return "ferry-vfio 1 lend " + as + beside;
    }

    /** What is lent: the device's descriptor, and that of the place its memory is mapped at. */
    int[] descriptors() {
        return descriptors.clone();
    }

    /** Has the kernel record dirty pages in the container of this program. */
    void record() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.ARGSZ, DirtyBitmap.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.FLAGS, DirtyBitmap.FLAG_START);
            int begun = calls.ioctl(descriptors[1], VfioIoctl.VFIO_IOMMU_DIRTY_PAGES, argument);
            demand(begun == 0, "%s: %d", name, begun);
        }
    }

    /** Whether the kernel does so still; it refuses to tell of pages where it does not. */
    boolean isRecording() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DirtyBitmap.GET_BYTES, Long.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.ARGSZ, DirtyBitmap.GET_BYTES);
            argument.set(JAVA_INT, DirtyBitmap.FLAGS, DirtyBitmap.FLAG_GET_BITMAP);
            argument.set(JAVA_LONG, DirtyBitmap.GET_SIZE, PAGE);
            argument.set(JAVA_LONG, DirtyBitmap.GET_PGSIZE, PAGE);
            argument.set(JAVA_LONG, DirtyBitmap.GET_BITMAP_SIZE, Long.BYTES);
            argument.set(ADDRESS, DirtyBitmap.GET_DATA, arena.allocate(JAVA_LONG));
            int told = calls.ioctl(descriptors[1], VfioIoctl.VFIO_IOMMU_DIRTY_PAGES, argument);
            demand(told == 0 || told == -LinuxErrno.EINVAL, "%s: %d", name, told);
            return told == 0;
        }
    }

    /** Wants it back; gives the answer, behind which nobody uses it. */
    String takeBack() {
        return connection.ask("ferry-vfio 1 return");
    }

    /** Ends the connection, as the end of this program would. */
    void end() {
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
