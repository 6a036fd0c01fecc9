// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** The character device of a device: nothing but binding works before it is bound. */
final class FakeCdev extends FakeFile {
    private static final int EBADFD = 77;

    private final FakeHost host;
    private final String name;
    private final FakeDevice device;
    private FakeIommufd bound;

    FakeCdev(FakeHost host, String name) {
        this.host = host;
        this.name = name;
        this.device = host.devices.get(name);
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
        String group = host.groupOf.get(name);
        if (host.openGroups.contains(group)) {
            return -EBUSY;
        }
        if (host.ownerOf.getOrDefault(group, iommufd) != iommufd) {
            return -EPERM; // the group's DMA belongs to another iommufd
        }
        bound = iommufd;
        host.ownerOf.put(group, iommufd);
        host.bound.add(name);
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
        device.steps.add("attach " + pageTable);
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
        if (bound == null) {
            return;
        }
        String group = host.groupOf.get(name);
        host.bound.remove(name);
        if (host.bound.stream().noneMatch(other -> host.groupOf.get(other).equals(group))) {
            host.ownerOf.remove(group);
        }
        device.close();
    }
}
