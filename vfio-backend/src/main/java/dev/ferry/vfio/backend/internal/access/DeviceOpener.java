// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.nio.file.Path;

/** Opens devices in the way that the host offers, or that is configured. Thread-safe. */
public final class DeviceOpener {

    /** The ways to a device. */
    public enum Way {
        /** What the host offers: the character device before the group. */
        AUTO,
        /** The device's IOMMU group and a container. */
        GROUP,
        /** The device's character device and iommufd. */
        CDEV
    }

    private final DeviceFiles files;
    private final GroupWay groups;
    private final CdevWay cdevs;

    /** Opens device files below a root, {@code /} but in tests. */
    public DeviceOpener(SystemCalls calls, Path root) {
        files = new DeviceFiles(calls, root);
        groups = new GroupWay(calls, files);
        cdevs = new CdevWay(calls, files);
    }

    /**
     * Opens a device.
     *
     * @param name for messages
     * @throws DeviceException with one sentence that says what is missing; nothing stays open then
     */
    public OpenDevice open(FoundDevice device, String name, Way way) throws DeviceException {
        return switch (way) {
            case CDEV -> cdev(device, name, "as configured");
            case GROUP -> group(device, name, "as configured");
            case AUTO -> offersCdev(device)
                    ? cdev(device, name, "the kernel offers it")
                    : group(device, name, "the kernel offers no iommufd with character devices");
        };
    }

    private boolean offersCdev(FoundDevice device) {
        return device.cdev().isPresent()
                && files.exists(DeviceFiles.CDEVS + device.cdev().get())
                && files.exists(DeviceFiles.IOMMUFD);
    }

    private OpenDevice cdev(FoundDevice device, String name, String why) throws DeviceException {
        String cdev = device.cdev().orElseThrow(() -> new DeviceException(
                Errno.EOPNOTSUPP, name + " has no character device; the kernel needs VFIO_DEVICE_CDEV and IOMMUFD"));
        return cdevs.open(cdev, device.group().orElse(device.name()), name, why);
    }

    private OpenDevice group(FoundDevice device, String name, String why) throws DeviceException {
        String group = device.group().orElseThrow(() -> new DeviceException(
                Errno.EOPNOTSUPP, name + " is in no IOMMU group; switch the IOMMU on"));
        return groups.open(group, device.name(), name, why);
    }
}
