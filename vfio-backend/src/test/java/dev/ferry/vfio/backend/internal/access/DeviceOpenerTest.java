// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.DeviceOpener.Way;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceOpenerTest {
    private static final String FIRST = "0000:3b:00.2";
    private static final String SECOND = "0000:3b:00.3";

    @TempDir
    private Path folder;

    private FakeHost host;
    private DeviceOpener opener;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.pci(FIRST, "vfio-pci", "12");
        host.pci(SECOND, "vfio-pci", "12");
        opener = new DeviceOpener(host.kernel, host.root);
    }

    @AfterEach
    void shouldLeaveNoDescriptor() {
        assertThat(host.kernel.openFiles()).isZero();
    }

    private DeviceException assertRefused(Errno errno, String name, Way way) {
        return assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> opener.open(host.found(name), "dev0", way))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .actual();
    }

    @Test
    void shouldShareAGroupAmongItsDevices() throws Exception {
        try (OpenDevice first = opener.open(host.found(FIRST), "dev0", Way.AUTO)) {
            assertThat(first.way()).isEqualTo(
                    "group 12 and container (the kernel offers no iommufd with character devices)");
            OpenDevice second = opener.open(host.found(SECOND), "dev1", Way.GROUP);
            assertThat(host.kernel.openFiles()).isEqualTo(4);
            second.close();
            second.close();
            assertThat(host.kernel.openFiles()).isEqualTo(3);
            assertThat(second.way()).isEqualTo("group 12 and container (as configured)");
        }
        assertThat(host.kernel.openFiles()).isZero();
        opener.open(host.found(SECOND), "dev1", Way.GROUP).close();
    }

    @Test
    void shouldPreferTheCharacterDeviceWhereTheHostHasIt() throws Exception {
        host.cdev(FIRST, "pci", "vfio0");

        try (OpenDevice device = opener.open(host.found(FIRST), "dev0", Way.AUTO)) {
            assertThat(device.way()).isEqualTo("character device vfio0 and iommufd (the kernel offers it)");
            assertThat(device.device().migrationFeatures()).hasSize(3);
        }
        try (OpenDevice device = opener.open(host.found(FIRST), "dev0", Way.GROUP)) {
            assertThat(device.way()).startsWith("group 12");
        }
    }

    @Test
    void shouldSayWhatTheCharacterDeviceNeeds() {
        assertThat(assertRefused(Errno.EOPNOTSUPP, FIRST, Way.CDEV))
                .hasMessage("dev0 has no character device; the kernel needs VFIO_DEVICE_CDEV and IOMMUFD");
    }

    @Test
    void shouldTakeTheOlderTypeOfIommuWhereThereIsNoOther() throws Exception {
        host.type1v2 = false;

        opener.open(host.found(FIRST), "dev0", Way.AUTO).close();
    }

    @Test
    void shouldSayWhatAGroupThatIsNotViableNeeds() {
        host.viable = false;

        assertThat(assertRefused(Errno.EBUSY, FIRST, Way.AUTO)).hasMessage(
                "IOMMU group 12 is not viable: bind all of its devices to VFIO drivers, or to none");
    }

    @Test
    void shouldSayWhichModuleIsMissing() {
        host.setIommuFails = true;

        assertThat(assertRefused(Errno.ENODEV, FIRST, Way.AUTO))
                .hasMessage("IOMMU group 12: VFIO_SET_IOMMU failed; load the module vfio_iommu_type1");
    }

    @Test
    void shouldSayWhatToDoWithoutPermissionModuleOrWhileAnotherHasTheGroup() throws Exception {
        String path = host.root + "/dev/vfio/12";
        host.refuse("vfio/12", 13);
        assertThat(assertRefused(Errno.EACCES, FIRST, Way.AUTO)).hasMessage(path
                + ": open failed; give this process's user read and write permission for "
                + path + ", by a udev rule for example");
        host.refuse("vfio/12", 2);
        assertThat(assertRefused(Errno.ENOENT, FIRST, Way.AUTO)).hasMessage(path
                + ": open failed; load the module that makes it: "
                + "vfio-pci, the device's own VFIO driver, or mdev");
        host.refuse("vfio/12", 16);
        assertThat(assertRefused(Errno.EBUSY, FIRST, Way.AUTO)).hasMessage(path
                + ": open failed; another process has it; end that process, or let it hand its descriptor over");
    }

    @Test
    void shouldCloseTheGroupWhenTheContainerCannotBeOpened() {
        host.refuse("vfio/vfio", 19);

        assertThat(assertRefused(Errno.ENODEV, FIRST, Way.AUTO))
                .hasMessageEndingWith("load the modules vfio and vfio_iommu_type1, or iommufd");
    }
}
