// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasAlloc;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.AttachPt;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.BindIommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A device that is opened by a VMM's calls, not by our driver's, to be lent.
 */
final class VmmDevice implements AutoCloseable {
    private final SystemCalls calls;
    private final String name;
    private final List<Descriptor> open = new ArrayList<>();
    private final boolean byGroup;
    private final Descriptor device;
    private int pageTable;

    /** By group where the kernel has no iommufd. */
    VmmDevice(HostDevices devices, String name) throws Exception {
        this(devices, name, !devices.haveIommufd());
    }

    VmmDevice(HostDevices devices, String name, boolean byGroup) throws Exception {
        this.calls = devices.calls();
        this.name = name;
        FoundDevice found = devices.found(name);
        this.byGroup = byGroup;
        if (byGroup) {
            Descriptor container = open(devices.file("vfio/vfio"));
            device = ofGroup(open(devices.file("vfio/" + found.group().orElseThrow())), container);
        } else {
            device = open(devices.file("vfio/devices/" + found.cdev().orElseThrow()));
            pageTable = attach(open(devices.file("iommu")));
        }
    }

    private Descriptor open(String path) {
        int number = calls.open(path, Posix.O_RDWR | Posix.O_CLOEXEC);
        demand(number >= 0, "%s cannot be opened: %s", path, LinuxErrno.name(-number));
        return opened(number);
    }

    private Descriptor opened(int number) {
        Descriptor descriptor = new Descriptor(calls, number);
        open.add(descriptor);
        return descriptor;
    }

    private void ask(Descriptor file, int request, MemorySegment argument) {
        long result = file.use(fd -> calls.ioctl(fd, request, argument));
        demand(result == 0, "%s: request 0x%x gives %s", name, request, LinuxErrno.name((int) -result));
    }

    private Descriptor ofGroup(Descriptor group, Descriptor container) {
        try (Arena arena = Arena.ofConfined()) {
            ask(group, VfioIoctl.VFIO_GROUP_SET_CONTAINER, arena.allocateFrom(JAVA_INT, number(container)));
            long iommu = container.use(fd ->
                    calls.ioctl(fd, VfioIoctl.VFIO_SET_IOMMU, VfioIoctl.VFIO_TYPE1v2_IOMMU));
            long fd = group.use(one ->
                    calls.ioctl(one, VfioIoctl.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(name)));
            demand(iommu == 0 && fd >= 0, "%s: %d, %d", name, iommu, fd);
            return opened((int) fd);
        }
    }

    /** Binds and attaches; gives the number of the page table, or of the space where the kernel makes none. */
    private int attach(Descriptor iommufd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bind = arena.allocate(BindIommufd.BYTES, Long.BYTES);
            bind.set(JAVA_INT, BindIommufd.ARGSZ, BindIommufd.BYTES);
            bind.set(JAVA_INT, BindIommufd.IOMMUFD, number(iommufd));
            ask(device, VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD, bind);
            MemorySegment space = arena.allocate(IoasAlloc.BYTES, Long.BYTES);
            space.set(JAVA_INT, Iommufd.SIZE, IoasAlloc.BYTES);
            ask(iommufd, Iommufd.IOMMU_IOAS_ALLOC, space);
            MemorySegment attach = arena.allocate(AttachPt.BYTES, Long.BYTES);
            attach.set(JAVA_INT, AttachPt.ARGSZ, AttachPt.BYTES);
            attach.set(JAVA_INT, AttachPt.PT_ID, space.get(JAVA_INT, IoasAlloc.OUT_IOAS_ID));
            ask(device, VfioIoctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach);
            return attach.get(JAVA_INT, AttachPt.PT_ID);
        }
    }

    private static int number(Descriptor descriptor) {
        return (int) descriptor.use(fd -> fd);
    }

    String name() {
        return name;
    }

    /** The device, for its owner; not to be closed. */
    VfioDevice device() {
        return new VfioDevice(calls, device, name);
    }

    /** What {@link #attach} gave. */
    int pageTable() {
        return pageTable;
    }

    /** Its addresses, as if they were behind a page table of its iommufd. */
    IommuSpace iommufdSpace(int table) {
        return IommufdSpace.ofPageTable(calls, open.get(1), "the iommufd of " + name, table);
    }

    /** With a container for its memory, not an iommufd. */
    boolean isByGroup() {
        return byGroup;
    }

    /** What is lent to another process: the device's descriptor, and that of the container or iommufd. */
    int[] descriptors() {
        return new int[] {number(device), number(open.get(byGroup ? 0 : 1))};
    }

    @Override
    public void close() {
        open.reversed().forEach(Descriptor::close);
    }
}
