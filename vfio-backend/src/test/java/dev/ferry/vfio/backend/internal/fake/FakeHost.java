// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/** A host below a folder: sysfs and device files, and the fake kernel that answers when these are opened. */
public final class FakeHost {

    /** What a device may reach; flags are those of the request that mapped it. */
    public record Mapping(long size, long address, int flags) {}

    private static final int MOST_GROWTH = 16;
    /** The id of the page table with dirty tracking that a VMM attaches its devices to. */
    public static final int PAGE_TABLE_OF_VMM = 7;

    public final Path root;
    public final FakeKernel kernel = new FakeKernel();
    public final Map<String, FakeDevice> devices = new ConcurrentHashMap<>();
    final Map<String, String> groupOf = new ConcurrentHashMap<>();
    final Set<String> openGroups = new TreeSet<>();
    final Map<String, FakeCdev.Group> cdevGroups = new HashMap<>();
    private final Set<Object> recording = new HashSet<>();

    // What a test can make of the host.
    public int apiVersion;
    public boolean viable = true;
    public boolean type1v2 = true;
    public boolean migrationCapability = true;
    /** The IOMMU marks the pages that devices write. */
    public boolean iommuMarksPages;
    /** Bytes that it has one mark for, where the address space does not forbid that. */
    public long iommuPage = 4096;
    public long mostDirtyBitmapBytes = 256L << 20;
    /** So many times the chain of the container's capabilities is longer than when it was asked for before. */
    public int growing;
    /** Where the chain of the container's capabilities begins. */
    public int firstCapability = 24;
    /** What stands in the place of the container's capabilities; null: what a kernel says. */
    public byte[] otherCapabilities;
    /** Starts and stops of containers and page tables that worked. */
    public final List<String> tracking = new ArrayList<>();
    public final TreeSet<Long> dirty = new TreeSet<>();
    public final Map<Long, Mapping> mapped = new TreeMap<>();
    private FakeFile lentContainer;
    private FakeFile lentIommufd;

    public FakeHost(Path root) throws IOException {
        this.root = root;
        Files.createDirectories(root.resolve("sys/bus/pci/devices"));
        Files.createDirectories(root.resolve("dev/vfio/devices"));
        Files.createDirectories(root.resolve("proc/sys/kernel"));
        Files.writeString(root.resolve("proc/sys/kernel/hostname"), "host9\n");
        kernel.proc = root.resolve("proc/self");
        kernel.path(file("vfio/vfio"), () -> new FakeContainer(this));
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
        Path folder = root.resolve("sys/bus/pci/devices").resolve(address);
        Path device = hidden(folder);
        Files.writeString(device.resolve("vendor"), "0x1af4\n");
        Files.writeString(device.resolve("device"), "0x1041\n");
        FakeDevice added = add(device, address, driver, group);
        show(device, folder);
        return added;
    }

    /** Whoever scans the host meanwhile is not to find half a device. */
    private Path hidden(Path folder) throws IOException {
        return Files.exists(folder) ? folder : Files.createTempDirectory(root, "to be");
    }

    private static void show(Path device, Path folder) throws IOException {
        if (!device.equals(folder)) {
            Files.createDirectories(folder.getParent());
            Files.move(device, folder);
        }
    }

    /** A mediated device. */
    public FakeDevice mdev(String uuid, String type, String group) throws IOException {
        Path folder = root.resolve("sys/bus/mdev/devices").resolve(uuid);
        Path device = hidden(folder);
        link(device.resolve("mdev_type"), Path.of("../mdev_supported_types/" + type));
        FakeDevice added = add(device, uuid, "vfio_mtty", group);
        added.mediated = true;
        show(device, folder);
        return added;
    }

    private FakeDevice add(Path sysfs, String name, String driver, String group) throws IOException {
        if (driver != null) {
            link(sysfs.resolve("driver"), Path.of("../../../bus/drivers/" + driver));
        }
        if (group != null) {
            link(sysfs.resolve("iommu_group"), Path.of("../../kernel/iommu_groups/" + group));
            allow(group);
            groupOf.put(name, group);
        }
        FakeDevice device = new FakeDevice(kernel);
        devices.put(name, device);
        return device;
    }

    private Object openGroup(String group) {
        boolean usedOtherwise = cdevGroups.containsKey(group) && cdevGroups.get(group).bound > 0;
        return !usedOtherwise && openGroups.add(group) ? new FakeGroup(this, group) : (Object) FakeFile.EBUSY;
    }

    /** Gives a device a character device, and the host iommufd. */
    public void cdev(String name, String bus, String cdev) throws IOException {
        Files.createDirectories(root.resolve("sys/bus").resolve(bus).resolve("devices").resolve(name)
                .resolve("vfio-dev").resolve(cdev));
        Files.writeString(root.resolve("dev/vfio/devices").resolve(cdev), "");
        Files.writeString(root.resolve("dev/iommu"), "");
        kernel.path(file("vfio/devices/" + cdev), () -> new FakeCdev(this, name));
        kernel.path(file("iommu"), () -> new FakeIommufd(this));
    }

    /** Opening a device file fails from now on. */
    public void refuse(String name, int errno) {
        kernel.path(file(name), () -> errno);
    }

    /** A group can be opened again. */
    public void allow(String group) {
        kernel.path(file("vfio/" + group), () -> openGroup(group));
    }

    /** What the finder makes of a device. */
    public FoundDevice found(String name) throws IOException {
        return new DeviceFinder(root).find(Set.of(name)).stream()
                .filter(device -> device.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** A container that a VMM has, with the group of a device in it. */
    public FakeFile containerOfVmm() {
        FakeContainer container = new FakeContainer(this);
        container.groups++;
        container.ioctl(0x3B66, 3);
        return container;
    }

    /** An iommufd that a VMM has, with one page table that tracks dirty pages: number 7. */
    public FakeFile iommufdOfVmm() {
        return iommufdOfVmm(1);
    }

    /** One with so many page tables that track dirty pages: from number 7 on. */
    public FakeFile iommufdOfVmm(int pageTables) {
        FakeIommufd iommufd = new FakeIommufd(this);
        for (int i = 0; i < pageTables; i++) {
            iommufd.makeTrackingPageTable();
        }
        return iommufd;
    }

    /** The one container of the {@link Vmm}. */
    FakeFile lentContainer() {
        if (lentContainer == null) {
            lentContainer = containerOfVmm();
        }
        return lentContainer;
    }

    /** Its one iommufd. */
    FakeFile lentIommufd() {
        if (lentIommufd == null) {
            lentIommufd = iommufdOfVmm();
        }
        return lentIommufd;
    }

    /** A VMM has mapped so many pages from an address on, each by itself. */
    public void mapPages(long iova, int count) {
        for (int i = 0; i < count; i++) {
            mapped.put(iova + i * Mappings.PAGE, new Mapping(Mappings.PAGE, Mappings.PAGE, 7));
        }
    }

    /** A VMM has mapped so many pages from an address on by one request. */
    public void mapAtOnce(long iova, int count) {
        mapped.put(iova, new Mapping(count * Mappings.PAGE, Mappings.PAGE, 7));
    }

    /** Whether a container or a page table records. */
    public boolean trackingIsOn() {
        return !recording.isEmpty();
    }

    boolean isRecording(Object recorder) {
        return recording.contains(recorder);
    }

    int track(Object recorder, boolean on) {
        tracking.add(on ? "start" : "stop");
        forget(recorder);
        if (on) {
            recording.add(recorder);
        }
        return 0;
    }

    void forget(Object recorder) {
        recording.remove(recorder);
    }

    /** IOVA ranges at 24, migration at 56, free mappings at 88, counted from the start of the information. */
    byte[] capabilities() {
        byte[] chain = chain();
        return growing > 0 ? Arrays.copyOf(chain, chain.length + 8 * (MOST_GROWTH - growing--)) : chain;
    }

    private byte[] chain() {
        if (otherCapabilities != null || !migrationCapability) {
            return otherCapabilities != null ? otherCapabilities : new byte[0];
        }
        return capabilities(56, 88, 0, 0x1000, mostDirtyBitmapBytes);
    }

    /**
     * Capabilities as in a kernel's answer, for a test to damage: where each of the three says the next one is, and
     * what the second says.
     */
    public static byte[] capabilities(int next1, int next2, int next3, long pageSizes, long mostBytes) {
        ByteBuffer chain = ByteBuffer.allocate(80).order(ByteOrder.LITTLE_ENDIAN);
        chain.putShort((short) 1).putShort((short) 1).putInt(next1).putInt(1).putInt(0).putLong(0).putLong(-1L >>> 1);
        chain.putShort((short) 2).putShort((short) 1).putInt(next2).putInt(0).putInt(0).putLong(pageSizes)
                .putLong(mostBytes);
        chain.putShort((short) 3).putShort((short) 1).putInt(next3).putInt(65535);
        return chain.array();
    }
}
