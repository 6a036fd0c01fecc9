// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sysfs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceFinderTest {
    private static final String UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    @TempDir
    private Path folder;

    private FakeHost host;
    private DeviceFinder finder;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        finder = new DeviceFinder(folder);
    }

    @Test
    void shouldFindWhatIsBoundToAVfioDriverAndEveryMediatedDevice() throws Exception {
        host.pci("0000:00:1f.0", "ahci", "3");
        host.pci("0000:3b:00.2", "virtio_vfio_pci", "12");
        host.mdev(UUID, "mtty-2", "13");
        host.cdev(UUID, "mdev", "vfio1");

        assertThat(finder.find(Set.of())).containsExactly(
                new FoundDevice("0000:3b:00.2", Kind.PCI, "1af4:1041", Optional.of("virtio_vfio_pci"),
                        Optional.of("12"), Optional.empty(), Optional.empty()),
                new FoundDevice(UUID, Kind.MDEV, "mtty-2", Optional.of("vfio_mtty"), Optional.of("13"),
                        Optional.of("vfio1"), Optional.empty()));
    }

    @Test
    void shouldSayWhatStandsAgainstADeviceThatIsNamed() throws Exception {
        host.pci("0000:00:1f.0", "ahci", "3");
        host.pci("0000:00:1f.1", null, "3");
        host.pci("0000:3b:00.2", "vfio-pci", null);

        assertThat(finder.find(Set.of("0000:00:1f.0", "0000:00:1f.1", "0000:3b:00.2", "0000:99:00.0")))
                .extracting(device -> device.obstacle().orElseThrow())
                .containsExactly(
                        "0000:00:1f.0 is bound to the driver ahci; bind it to a VFIO driver (driver_override, "
                                + "drivers_probe in /sys/bus/pci)",
                        "0000:00:1f.1 is bound to no driver; bind it to a VFIO driver (driver_override, "
                                + "drivers_probe in /sys/bus/pci)",
                        "0000:3b:00.2 is in no IOMMU group; switch the IOMMU on in the firmware and the kernel",
                        "there is no PCI function or mediated device 0000:99:00.0 in this host; "
                                + "correct the name");
    }

    @Test
    void shouldFindNothingOnAHostWithoutSuchBuses() throws Exception {
        assertThat(new DeviceFinder(folder.resolve("elsewhere")).find(Set.of())).isEmpty();
    }

    @Test
    void shouldSayWhichDeviceCannotBeReadAndFindTheOthers() throws Exception {
        host.pci("0000:3b:00.1", "mlx5_vfio_pci", "11");
        Path vendor = folder.resolve("sys/bus/pci/devices/0000:3b:00.1/vendor");
        Files.delete(vendor);
        Files.createDirectory(vendor);
        host.pci("0000:3b:00.2", "mlx5_vfio_pci", "12");

        assertThat(finder.find(Set.of())).extracting(FoundDevice::name).containsExactly("0000:3b:00.2");
        assertThat(finder.find(Set.of("0000:3b:00.1")))
                .extracting(device -> device.obstacle().orElse(""))
                .containsExactly("what /sys/bus/pci/devices/0000:3b:00.1 says cannot be read: "
                        + "java.io.IOException: Is a directory", "");
    }

    @Test
    void shouldFindTheOthersWhenALinkLeadsNowhereInParticular() throws Exception {
        host.mdev(UUID, "mtty-2", "13");
        Path driver = folder.resolve("sys/bus/mdev/devices").resolve(UUID).resolve("driver");
        Files.delete(driver);
        Files.createSymbolicLink(driver, Path.of("/"));
        host.pci("0000:3b:00.2", "mlx5_vfio_pci", "12");

        assertThat(finder.find(Set.of())).extracting(device -> device.name() + device.obstacle().orElse(""))
                .containsExactly(
                        "0000:3b:00.2", UUID + UUID + " is bound to no driver; load the module of its VFIO driver");
    }

    @Test
    void shouldPassOverADeviceThatLeftWhenItWasListed() throws Exception {
        host.mdev(UUID, "mtty-2", "13");
        Path devices = folder.resolve("sys/bus/mdev/devices");
        Files.createSymbolicLink(devices.resolve("0" + UUID.substring(1)), Path.of("../../../devices/gone"));

        assertThat(finder.find(Set.of())).extracting(FoundDevice::name).containsExactly(UUID);
        assertThat(finder.find(Set.of("0" + UUID.substring(1))))
                .extracting(FoundDevice::driver)
                .containsExactly(Optional.of("vfio_mtty"), Optional.empty());
    }
}
