// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice.Kind;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.PciConfig;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DeviceInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether a descriptor is of the device that it is said to be, as far as the kernel tells: exactly for a character
 * device, by its number, and for every device where the kernel prints it in {@code /proc/self/fdinfo}; elsewhere for a
 * PCI function by its vendor and device id, and for a mediated device not at all. Thread-safe.
 */
final class DeviceIdentity {
    /** Names the folder of the device in sysfs; Linux, Documentation/filesystems/proc.rst, "VFIO Device files". */
    private static final String SYSPATH = "vfio-device-syspath:";

    /** virtio_vfio_pci shows a VF of 1af4:1041 so, for a guest's transitional driver (its legacy_io.c). */
    private static final String TRANSITIONAL_NET = "1af4:1000";

    private static final String MODERN_NET = "1af4:1041";

    private final Path self;
    private final DeviceFinder finder;

    /** Looks below a root, {@code /} but in tests. */
    DeviceIdentity(Path root, DeviceFinder finder) {
        self = root.resolve("proc/self");
        this.finder = finder;
    }

    /**
     * Refuses a descriptor that is another device's.
     *
     * @param named what it is said to be
     * @param device made of the descriptor
     * @param fd its number
     * @throws DeviceException EINVAL with a sentence for who sent it; others as the kernel gives them
     */
    void require(FoundDevice named, VfioDevice device, int fd) throws DeviceException {
        boolean pci = (infoFlags(device) & DeviceInfo.VFIO_DEVICE_FLAGS_PCI) != 0;
        Optional<Sign> sign;
        try {
            sign = sign(named, device, pci, fd);
        } catch (DeviceException e) {
            throw e;
        } catch (IOException e) {
            throw new DeviceException(Errno.EIO, "of which device the descriptor is cannot be read: " + e, e);
        }
        if (sign.isPresent() && !sign.get().shown().equals(sign.get().expected())) {
            throw new DeviceException(Errno.EINVAL, "the descriptor is of another device than %s: of %s, not of %s"
                    .formatted(named.name(), sign.get().shown(), sign.get().expected()));
        }
    }

    /** Nothing but a VFIO device answers this; any other refusal is a VFIO device's, and says nothing of what it is. */
    private static int infoFlags(VfioDevice device) throws DeviceException {
        try {
            return device.infoFlags();
        } catch (KernelException e) {
            throw switch (e.number()) {
                case LinuxErrno.ENOTTY, LinuxErrno.EINVAL -> new DeviceException(Errno.EINVAL,
                        "the first descriptor is of no VFIO device, or of one that is not bound to an iommufd yet", e);
                default -> e;
            };
        }
    }

    private record Sign(String shown, String expected) {}

    private Optional<Sign> sign(FoundDevice named, VfioDevice device, boolean pci, int fd) throws IOException {
        Map<String, Object> status = Files.readAttributes(self.resolve("fd/" + fd), "unix:mode,rdev");
        if (((int) status.get("mode") & Posix.S_IFMT) == Posix.S_IFCHR) {
            return Optional.of(new Sign(
                    "character device " + deviceNumber((long) status.get("rdev")),
                    finder.cdevNumber(named).map(number -> "character device " + number).orElse("a group's device")));
        }
        Optional<String> name = nameOf(fd);
        if (name.isPresent()) {
            return Optional.of(new Sign(name.get(), named.name()));
        }
        return named.kind() == Kind.PCI
                ? Optional.of(new Sign(pci ? pciIds(named, device) : "no PCI device", named.type()))
                : Optional.empty();
    }

    private Optional<String> nameOf(int fd) throws IOException {
        try (Stream<String> lines = Files.lines(self.resolve("fdinfo/" + fd))) {
            return lines.filter(line -> line.startsWith(SYSPATH))
                    .map(line -> Path.of(line.substring(SYSPATH.length()).strip()).getFileName().toString())
                    .findFirst();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static String pciIds(FoundDevice named, VfioDevice device) throws DeviceException {
        ByteBuffer bytes = ByteBuffer.wrap(device.region(VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX)
                .read(PciConfig.VENDOR_DEVICE, PciConfig.VENDOR_DEVICE_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        String ids = "%04x:%04x".formatted(
                Short.toUnsignedInt(bytes.getShort()), Short.toUnsignedInt(bytes.getShort()));
        return ids.equals(TRANSITIONAL_NET) && named.type().equals(MODERN_NET) ? MODERN_NET : ids;
    }

    /** A device's number as sysfs writes it, {@code major:minor}; {@code sys/sysmacros.h}. */
    static String deviceNumber(long device) {
        long major = device >>> 8 & 0xFFF | device >>> 32 & ~0xFFFL;
        long minor = device & 0xFF | device >>> 12 & ~0xFFL;
        return (major & 0xFFFF_FFFFL) + ":" + (minor & 0xFFFF_FFFFL);
    }
}
