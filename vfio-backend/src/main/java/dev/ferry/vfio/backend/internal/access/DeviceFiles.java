// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.Interrupts;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import java.nio.file.Files;
import java.nio.file.Path;

/** The device files of VFIO, below a root that is {@code /} but in tests. */
final class DeviceFiles {
    static final String CONTAINER = "vfio/vfio";
    static final String IOMMUFD = "iommu";
    static final String GROUPS = "vfio/";
    static final String CDEVS = "vfio/devices/";

    private final SystemCalls calls;
    private final Path dev;

    DeviceFiles(SystemCalls calls, Path root) {
        this.calls = calls;
        this.dev = root.resolve("dev");
    }

    boolean exists(String file) {
        return Files.exists(dev.resolve(file));
    }

    /** Opens for reading and writing, closed on exec; fails with a sentence that says what to do. */
    Descriptor open(String file) throws DeviceException {
        String path = dev.resolve(file).toString();
        int fd = (int) Interrupts.retry(() -> calls.open(path, Posix.O_RDWR | Posix.O_CLOEXEC));
        if (fd < 0) {
            throw new KernelException(path, "open", -fd, advice(-fd, file, path));
        }
        return new Descriptor(calls, fd);
    }

    private static String advice(int number, String file, String path) {
        return switch (number) {
            case LinuxErrno.EACCES, LinuxErrno.EPERM ->
                    "give this process's user read and write permission for " + path + ", by a udev rule for example";
            case LinuxErrno.ENOENT -> file.equals(IOMMUFD)
                    ? "load the module iommufd, or open devices by group where the kernel has none"
                    : "load the module that makes it: vfio-pci, the device's own VFIO driver, or mdev";
            case LinuxErrno.ENODEV, LinuxErrno.ENXIO -> "load the modules vfio and vfio_iommu_type1, or iommufd";
            case LinuxErrno.EBUSY -> "another process has it; end that process, or let it hand its descriptor over";
            default -> "";
        };
    }
}
