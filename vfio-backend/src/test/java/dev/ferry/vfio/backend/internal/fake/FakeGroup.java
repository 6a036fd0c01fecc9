// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;

/** An IOMMU group, open once at most and not beside bound character devices of its devices. */
final class FakeGroup extends FakeFile {
    private final FakeHost host;
    private final String number;
    private FakeContainer container;

    FakeGroup(FakeHost host, String number) {
        this.host = host;
        this.number = number;
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        return switch (request) {
            case 0x3B67 -> host.kernel.answer(
                    Request.GROUP_GET_STATUS, () -> sized(argument, 8, () -> status(argument)));
            case 0x3B68 -> host.kernel.answer(
                    Request.GROUP_SET_CONTAINER, () -> join(host.kernel.file(argument.get(JAVA_INT, 0))));
            case 0x3B6A -> host.kernel.answer(Request.GROUP_GET_DEVICE_FD, () -> device(argument.getString(0)));
            default -> -ENOTTY;
        };
    }

    private int status(MemorySegment argument) {
        argument.set(JAVA_INT, 4, (host.viable ? 1 : 0) | (container == null ? 0 : 2));
        return 0;
    }

    private int join(FakeFile file) {
        if (file == null) {
            return -EBADF;
        }
        if (container != null || !(file instanceof FakeContainer joined)) {
            return -EINVAL;
        }
        if (!host.viable) {
            return -EPERM;
        }
        container = joined;
        joined.groups++;
        return 0;
    }

    private int device(String name) {
        if (container == null || !container.hasIommu()) {
            return -EINVAL;
        }
        return number.equals(host.groupOf.get(name)) ? host.kernel.install(host.devices.get(name)) : -ENODEV;
    }

    @Override
    void close() {
        host.openGroups.remove(number);
        if (container != null) {
            container.groups--;
        }
    }
}
