// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A host below a folder: sysfs and device files, and the fake kernel that answers when these are opened. */
public final class FakeHost {
    private static final int EBUSY = 16;
    private static final int EEXIST = 17;
    private static final int ENODEV = 19;
    private static final int ENOENT = 2;

    public final Path root;
    public final FakeKernel kernel = new FakeKernel();
    public final Map<String, FakeDevice> devices = new HashMap<>();
    private final Map<String, String> groupOf = new HashMap<>();
    private final Set<String> openGroups = new TreeSet<>();

    // What a test can make of the host.
    public boolean viable = true;
    public boolean type1v2 = true;
    public boolean setIommuFails;
    public boolean migrationCapability = true;
    public long mostDirtyBitmapBytes = 256L << 20;
    public boolean iommuTracksDirtyPages;
    /** What dirty tracking answers to a start, a stop and a report; 0 for success. */
    public int startErrno;
    public int stopErrno;
    public int reportErrno;
    /** Starts and stops of containers and iommufds that worked. */
    public final List<String> tracking = new ArrayList<>();
    private final Set<FakeFile> recording = new HashSet<>();
    public final TreeSet<Long> dirty = new TreeSet<>();
    public final Map<Long, Long> mapped = new TreeMap<>();

    public FakeHost(Path root) throws IOException {
        this.root = root;
        Files.createDirectories(root.resolve("sys/bus/pci/devices"));
        Files.createDirectories(root.resolve("dev/vfio/devices"));
        Files.createDirectories(root.resolve("proc/sys/kernel"));
        Files.writeString(root.resolve("proc/sys/kernel/hostname"), "host9\n");
        kernel.path(file("vfio/vfio"), FakeContainer::new);
    }

    /** A host may be made where one was before. */
    private static void link(Path link, Path target) throws IOException {
        if (!Files.isSymbolicLink(link)) {
            Files.createSymbolicLink(link, target);
        }
    }

    private String file(String name) {
        return root.resolve("dev").resolve(name).toString();
    }

    /** A PCI function; {@code driver} may be null. */
    public FakeDevice pci(String address, String driver, String group) throws IOException {
        Path device = Files.createDirectories(root.resolve("sys/bus/pci/devices").resolve(address));
        Files.writeString(device.resolve("vendor"), "0x1af4\n");
        Files.writeString(device.resolve("device"), "0x1041\n");
        return add(device, address, driver, group);
    }

    /** A mediated device. */
    public FakeDevice mdev(String uuid, String type, String group) throws IOException {
        Path device = Files.createDirectories(root.resolve("sys/bus/mdev/devices").resolve(uuid));
        link(device.resolve("mdev_type"), Path.of("../mdev_supported_types/" + type));
        return add(device, uuid, "vfio_mtty", group);
    }

    private FakeDevice add(Path sysfs, String name, String driver, String group) throws IOException {
        if (driver != null) {
            link(sysfs.resolve("driver"), Path.of("../../../bus/drivers/" + driver));
        }
        if (group != null) {
            link(sysfs.resolve("iommu_group"), Path.of("../../kernel/iommu_groups/" + group));
            kernel.path(file("vfio/" + group), () -> openGroups.add(group) ? new FakeGroup(group) : EBUSY);
            groupOf.put(name, group);
        }
        FakeDevice device = new FakeDevice(kernel);
        devices.put(name, device);
        return device;
    }

    /** Gives a device a character device, and the host iommufd. */
    public void cdev(String name, String bus, String cdev) throws IOException {
        Files.createDirectories(root.resolve("sys/bus").resolve(bus).resolve("devices").resolve(name)
                .resolve("vfio-dev").resolve(cdev));
        Files.writeString(root.resolve("dev/vfio/devices").resolve(cdev), "");
        Files.writeString(root.resolve("dev/iommu"), "");
        kernel.path(file("vfio/devices/" + cdev), () -> new FakeCdev(devices.get(name)));
        kernel.path(file("iommu"), FakeIommufd::new);
    }

    /** Whether a container or an iommufd records. */
    public boolean trackingIsOn() {
        return !recording.isEmpty();
    }

    private int track(FakeFile file, boolean on) {
        int errno = on ? startErrno : stopErrno;
        if (errno == 0) {
            tracking.add(on ? "start" : "stop");
            recording.remove(file);
            if (on) {
                recording.add(file);
            }
        }
        return -errno;
    }

    /** Opening a device file fails from now on. */
    public void refuse(String name, int errno) {
        kernel.path(file(name), () -> errno);
    }

    /** What the finder makes of a device. */
    public FoundDevice found(String name) throws IOException {
        return new DeviceFinder(root).find(Set.of(name)).stream()
                .filter(device -> device.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private final class FakeGroup extends FakeFile {
        private final String number;
        private boolean joined;

        FakeGroup(String number) {
            this.number = number;
        }

        @Override
        int ioctl(int request, MemorySegment argument) {
            return switch (request) {
                case 0x3B67 -> {
                    argument.set(JAVA_INT, 4, viable ? 1 : 0);
                    yield 0;
                }
                case 0x3B68 -> join(argument.get(JAVA_INT, 0));
                case 0x3B6A -> device(argument.getString(0));
                default -> -ENOTTY;
            };
        }

        private int join(int container) {
            joined = kernel.file(container) instanceof FakeContainer;
            return joined ? 0 : -EINVAL;
        }

        private int device(String name) {
            if (!joined) {
                return -EINVAL;
            }
            return number.equals(groupOf.get(name)) ? kernel.install(devices.get(name)) : -ENODEV;
        }

        @Override
        void close() {
            openGroups.remove(number);
        }
    }

    /** A container with a type 1 IOMMU. */
    public final class FakeContainer extends FakeFile {
        @Override
        void close() {
            recording.remove(this);
        }

        @Override
        int ioctl(int request, long argument) {
            return switch (request) {
                case 0x3B64 -> 0;
                case 0x3B65 -> argument == 1 || argument == 3 && type1v2 ? 1 : 0;
                case 0x3B66 -> setIommuFails ? -ENODEV : argument == (type1v2 ? 3 : 1) ? 0 : -EINVAL;
                default -> -ENOTTY;
            };
        }

        @Override
        int ioctl(int request, MemorySegment argument) {
            return switch (request) {
                case 0x3B70 -> info(argument);
                case 0x3B71 -> map(argument.get(JAVA_LONG, 16), argument.get(JAVA_LONG, 24));
                case 0x3B72 -> {
                    mapped.remove(argument.get(JAVA_LONG, 8));
                    yield 0;
                }
                case 0x3B75 -> dirtyPages(argument);
                default -> -ENOTTY;
            };
        }

        /** Capabilities: IOVA ranges at 24, migration at 56. */
        private int info(MemorySegment argument) {
            int argsz = argument.get(JAVA_INT, 0);
            argument.set(JAVA_INT, 0, migrationCapability ? 88 : 24);
            argument.set(JAVA_INT, 4, migrationCapability ? 3 : 1);
            argument.set(JAVA_LONG, 8, 0x1000);
            if (migrationCapability && argsz >= 88) {
                argument.set(JAVA_INT, 16, 24);
                argument.set(JAVA_INT, 24, 1 | 1 << 16);
                argument.set(JAVA_INT, 28, 56);
                argument.set(JAVA_INT, 56, 2 | 1 << 16);
                argument.set(JAVA_INT, 60, 0);
                argument.set(JAVA_LONG, 72, 0x1000);
                argument.set(JAVA_LONG, 80, mostDirtyBitmapBytes);
            }
            return 0;
        }

        private int dirtyPages(MemorySegment argument) {
            switch (argument.get(JAVA_INT, 4)) {
                case 1 -> {
                    return track(this, true);
                }
                case 2 -> {
                    return track(this, false);
                }
                case 4 -> {
                    if (reportErrno != 0) {
                        return -reportErrno;
                    }
                    long bytes = argument.get(JAVA_LONG, 16) / 4096 / 8;
                    if (!recording.contains(this)
                            || argument.get(JAVA_LONG, 24) != 4096 || argument.get(JAVA_INT, 0) != 48
                            || argument.get(JAVA_LONG, 32) < bytes || bytes > mostDirtyBitmapBytes) {
                        return -EINVAL;
                    }
                    FakeDevice.mark(dirty, argument.get(JAVA_LONG, 8), argument.get(JAVA_LONG, 16), 4096,
                            argument.get(JAVA_LONG, 40));
                }
                default -> {
                    return -EINVAL;
                }
            }
            return 0;
        }
    }

    private int map(long iova, long size) {
        return mapped.putIfAbsent(iova, size) == null ? 0 : -EEXIST;
    }

    /** The character device of a device: nothing but binding works before it is bound. */
    private static final class FakeCdev extends FakeFile {
        private final FakeDevice device;
        private boolean bound;

        FakeCdev(FakeDevice device) {
            this.device = device;
        }

        @Override
        int ioctl(int request, MemorySegment argument) {
            if (request == 0x3B76) {
                if (bound || argument.get(JAVA_INT, 0) != 16) {
                    return -EINVAL;
                }
                bound = device.kernel.file(argument.get(JAVA_INT, 8)) instanceof FakeIommufd;
                argument.set(JAVA_INT, 12, 41);
                return bound ? 0 : -EBADF;
            }
            if (!bound) {
                return -EINVAL;
            }
            if (request == 0x3B77) {
                device.steps.add("attach " + argument.get(JAVA_INT, 8));
                return 0;
            }
            return device.ioctl(request, argument);
        }

        @Override
        long pread(MemorySegment into, long offset) {
            return device.pread(into, offset);
        }

        @Override
        long pwrite(MemorySegment from, long offset) {
            return device.pwrite(from, offset);
        }
    }

    /** iommufd with one address space, 7, and one page table, 8. */
    private final class FakeIommufd extends FakeFile {
        @Override
        void close() {
            recording.remove(this);
        }

        @Override
        int ioctl(int request, MemorySegment argument) {
            return switch (request) {
                case 0x3B81 -> {
                    argument.set(JAVA_INT, 8, 7);
                    yield argument.get(JAVA_INT, 0) == 12 ? 0 : -EINVAL;
                }
                case 0x3B85 -> argument.get(JAVA_INT, 4) == 7 && argument.get(JAVA_INT, 8) == 7
                        ? map(argument.get(JAVA_LONG, 32), argument.get(JAVA_LONG, 24)) : -EINVAL;
                case 0x3B86 -> mapped.remove(argument.get(JAVA_LONG, 8)) == null ? -ENOENT : 0;
                case 0x3B8A -> {
                    argument.set(JAVA_LONG, 32, iommuTracksDirtyPages ? 1 : 0);
                    yield argument.get(JAVA_INT, 8) == 41 ? 0 : -ENOENT;
                }
                case 0x3B89 -> {
                    argument.set(JAVA_INT, 16, 8);
                    yield argument.get(JAVA_INT, 4) == 2 && argument.get(JAVA_INT, 12) == 7 ? 0 : -EINVAL;
                }
                case 0x3B8B -> argument.get(JAVA_INT, 8) == 8
                        ? track(this, argument.get(JAVA_INT, 4) == 1) : -ENOENT;
                case 0x3B8C -> bitmap(argument);
                default -> -ENOTTY;
            };
        }

        private int bitmap(MemorySegment argument) {
            if (reportErrno != 0) {
                return -reportErrno;
            }
            if (!recording.contains(this) || argument.get(JAVA_INT, 4) != 8) {
                return -EINVAL;
            }
            FakeDevice.mark(dirty, argument.get(JAVA_LONG, 16), argument.get(JAVA_LONG, 24),
                    argument.get(JAVA_LONG, 32), argument.get(JAVA_LONG, 40));
            return 0;
        }
    }
}
