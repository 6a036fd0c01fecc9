// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** The character device of a device: nothing but binding works before it is bound. */
final class FakeCdev extends FakeFile {
    private static final int EBADFD = 77;

    private final FakeHost host;
    private final FakeDevice device;
    private final String groupNumber;
    private final Group group;
    private FakeIommufd bound;
    private boolean attached;

    /** What the devices of an IOMMU group share: one owner, one page table. */
    static final class Group {
        FakeIommufd owner;
        int bound;
        int pageTable;
        int attached;
    }

    FakeCdev(FakeHost host, String name) {
        this.host = host;
        this.device = host.devices.get(name);
        this.groupNumber = String.valueOf(host.groupOf.get(name));
        this.group = host.cdevGroups.computeIfAbsent(groupNumber, one -> new Group());
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        if (request == 0x3B76) {
            return host.kernel.answer(Request.BIND_IOMMUFD, () -> sized(argument, 16, () -> bind(argument)));
        }
        if (bound == null) {
            return -EINVAL;
        }
        if (request == 0x3B77) {
            return host.kernel.answer(Request.ATTACH_IOMMUFD_PT, () -> sized(argument, 12, () -> attach(argument)));
        }
        return device.ioctl(request, argument);
    }

    private int bind(MemorySegment argument) {
        int fd = argument.get(JAVA_INT, 8);
        if (bound != null || argument.get(JAVA_INT, 4) != 0 || fd < 0) {
            return -EINVAL;
        }
        if (!(host.kernel.file(fd) instanceof FakeIommufd iommufd)) {
            return host.kernel.file(fd) == null ? -EBADF : -EBADFD;
        }
        if (host.openGroups.contains(groupNumber)) {
            return -EBUSY;
        }
        if (group.bound > 0 && group.owner != iommufd) {
            return -EPERM;
        }
        bound = iommufd;
        group.owner = iommufd;
        group.bound++;
        device.opened();
        argument.set(JAVA_INT, 12, iommufd.bind(device));
        return 0;
    }

    private int attach(MemorySegment argument) {
        int pageTable = argument.get(JAVA_INT, 8);
        if (argument.get(JAVA_INT, 4) != 0) {
            return -EINVAL;
        }
        if (!bound.hasPageTable(pageTable)) {
            return -ENOENT;
        }
        if (!device.mediated && group.attached > 0 && group.pageTable != pageTable) {
            return -EINVAL;
        }
        group.pageTable = pageTable;
        group.attached += attached ? 0 : 1;
        attached = true;
        device.steps.add("attach " + pageTable);
        argument.set(JAVA_INT, 8, bound.attach(pageTable, device.mediated));
        return 0;
    }

    @Override
    long pread(MemorySegment into, long offset) {
        return bound == null ? -EINVAL : device.pread(into, offset);
    }

    @Override
    long pwrite(MemorySegment from, long offset) {
        return bound == null ? -EINVAL : device.pwrite(from, offset);
    }

    @Override
    void close() {
        if (bound != null) {
            group.bound--;
            group.attached -= attached ? 1 : 0;
            device.close();
        }
    }
}
