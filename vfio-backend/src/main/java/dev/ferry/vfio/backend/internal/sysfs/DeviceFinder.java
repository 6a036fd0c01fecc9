// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sysfs;

import dev.ferry.vfio.backend.internal.sysfs.FoundDevice.Kind;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds VFIO devices in sysfs: mediated devices, PCI functions bound to a VFIO driver, and what is asked for by name,
 * whatever it is. Thread-safe; reads files only.
 */
public final class DeviceFinder {
    private static final String VFIO = "vfio";

    private final Path root;

    /** Looks below a root, {@code /} but in tests. */
    public DeviceFinder(Path root) {
        this.root = root;
    }

    /**
     * All devices, each name once, in the order of their names within PCI functions, then mediated devices, then what
     * was not found.
     *
     * @param named PCI addresses and UUIDs that are reported in any case
     * @throws IOException when sysfs cannot be read at all
     */
    public List<FoundDevice> find(Set<String> named) throws IOException {
        List<FoundDevice> found = new ArrayList<>();
        Set<String> missing = new TreeSet<>(named);
        for (Kind kind : Kind.values()) {
            for (Path device : entries(root.resolve("sys/bus").resolve(kind.bus()).resolve("devices"))) {
                look(device, kind, named).ifPresent(one -> {
                    found.add(one);
                    missing.remove(one.name());
                });
            }
        }
        missing.forEach(name -> found.add(notFound(name)));
        return found;
    }

    /** The number of a device's character device, {@code major:minor}; empty for a device that has none. */
    public Optional<String> cdevNumber(FoundDevice device) throws IOException {
        if (device.cdev().isEmpty()) {
            return Optional.empty();
        }
        Path folder = root.resolve("sys/bus").resolve(device.kind().bus()).resolve("devices").resolve(device.name());
        String number = read(folder.resolve("vfio-dev").resolve(device.cdev().get()).resolve("dev"));
        return number.isEmpty() ? Optional.empty() : Optional.of(number);
    }

    /** Devices come and go while they are looked at: one that is gone is no device, and keeps no other. */
    private static Optional<FoundDevice> look(Path device, Kind kind, Set<String> named) {
        String name = device.getFileName().toString();
        boolean listed = kind == Kind.MDEV || named.contains(name);
        try {
            return Files.exists(device) && (listed || isVfio(device))
                    ? Optional.of(describe(device, name, kind))
                    : Optional.empty();
        } catch (IOException e) {
            return listed && Files.exists(device) ? Optional.of(unreadable(name, kind, e)) : Optional.empty();
        }
    }

    private static FoundDevice unreadable(String name, Kind kind, IOException e) {
        return withoutDriver(name, kind, "what /sys/bus/%s/devices/%s says cannot be read: %s"
                .formatted(kind.bus(), name, e));
    }

    private static FoundDevice notFound(String name) {
        return withoutDriver(name, Kind.PCI,
                "there is no PCI function or mediated device " + name + " in this host; correct the name");
    }

    private static FoundDevice withoutDriver(String name, Kind kind, String obstacle) {
        return new FoundDevice(
                name, kind, "", Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(obstacle));
    }

    private static FoundDevice describe(Path device, String name, Kind kind) throws IOException {
        Optional<String> driver = target(device.resolve("driver"));
        Optional<String> group = target(device.resolve("iommu_group"));
        Optional<String> cdev = entries(device.resolve("vfio-dev")).stream()
                .map(entry -> entry.getFileName().toString())
                .findFirst();
        return new FoundDevice(
                name, kind, type(device, kind), driver, group, cdev, obstacle(device, name, kind, driver, group));
    }

    private static Optional<String> obstacle(
            Path device, String name, Kind kind, Optional<String> driver, Optional<String> group) throws IOException {
        if (kind == Kind.PCI && !isVfio(device)) {
            return Optional.of("%s is bound to %s; bind it to a VFIO driver (driver_override, drivers_probe in %s)"
                    .formatted(name, driver.map(other -> "the driver " + other).orElse("no driver"), "/sys/bus/pci"));
        }
        if (driver.isEmpty()) {
            return Optional.of(name + " is bound to no driver; load the module of its VFIO driver");
        }
        if (group.isEmpty()) {
            return Optional.of(name + " is in no IOMMU group; switch the IOMMU on in the firmware and the kernel");
        }
        return Optional.empty();
    }

    private static boolean isVfio(Path device) throws IOException {
        return Files.isDirectory(device.resolve("vfio-dev"))
                || target(device.resolve("driver")).orElse("").contains(VFIO);
    }

    private static String type(Path device, Kind kind) throws IOException {
        return switch (kind) {
            case PCI -> id(device.resolve("vendor")) + ":" + id(device.resolve("device"));
            case MDEV -> target(device.resolve("mdev_type")).orElse("mdev");
        };
    }

    private static String id(Path file) throws IOException {
        return read(file).replaceFirst("^0x", "");
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.readString(file).strip();
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    /** The last name of what a symbolic link leads to. */
    private static Optional<String> target(Path link) throws IOException {
        return Files.isSymbolicLink(link)
                ? Optional.ofNullable(Files.readSymbolicLink(link).getFileName()).map(Path::toString)
                : Optional.empty();
    }

    /** What lies in a folder, by name; nothing where there is no such folder: the kernel then has no such bus. */
    private static List<Path> entries(Path folder) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            stream.forEach(entries::add);
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        entries.sort(null);
        return entries;
    }
}
