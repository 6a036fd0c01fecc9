// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.DeviceOpener.Way;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    void shouldShareAnIommufdAmongTheDevicesOfAGroup() throws Exception {
        host.cdev(FIRST, "pci", "vfio0");
        host.cdev(SECOND, "pci", "vfio1");

        OpenDevice first = opener.open(host.found(FIRST), "dev0", Way.CDEV);
        try (OpenDevice second = opener.open(host.found(SECOND), "dev1", Way.CDEV)) {
            assertThat(host.kernel.openFiles()).as("two devices and one iommufd").isEqualTo(3);
            assertThat(host.devices.get(SECOND).steps).isEqualTo(host.devices.get(FIRST).steps)
                    .containsExactly("attach 7");
            first.close();
            first.close();
            assertThat(host.kernel.openFiles()).isEqualTo(2);
            assertThat(second.device().migrationFeatures()).hasSize(3);
            opener.open(host.found(FIRST), "dev0", Way.CDEV).close();
        }
        assertThat(host.kernel.openFiles()).isZero();
        opener.open(host.found(SECOND), "dev1", Way.CDEV).close();
    }

    @Test
    void shouldOpenAnIommufdForEachGroup() throws Exception {
        host.pci("0000:3c:00.2", "vfio-pci", "13");
        host.cdev(FIRST, "pci", "vfio0");
        host.cdev("0000:3c:00.2", "pci", "vfio2");

        try (OpenDevice first = opener.open(host.found(FIRST), "dev0", Way.CDEV);
                OpenDevice other = opener.open(host.found("0000:3c:00.2"), "dev2", Way.CDEV)) {
            assertThat(host.kernel.openFiles()).isEqualTo(4);
            assertThat(first.device().migrationFeatures()).isEqualTo(other.device().migrationFeatures()).hasSize(3);
        }
    }

    @Test
    void shouldLeaveTheOtherDevicesOfAGroupAloneWhenOneCannotBeOpened() throws Exception {
        host.cdev(FIRST, "pci", "vfio0");
        host.cdev(SECOND, "pci", "vfio1");
        host.refuse("vfio/devices/vfio1", 13);

        try (OpenDevice first = opener.open(host.found(FIRST), "dev0", Way.CDEV)) {
            assertRefused(Errno.EACCES, SECOND, Way.CDEV);
            assertThat(host.kernel.openFiles()).isEqualTo(2);
            assertThat(first.device().migrationFeatures()).hasSize(3);
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
        host.kernel.refuse(Request.SET_IOMMU, 19);

        assertThat(assertRefused(Errno.ENODEV, FIRST, Way.AUTO))
                .hasMessage("IOMMU group 12: VFIO_SET_IOMMU failed; load the module vfio_iommu_type1");
    }

    /** The host's kernel, but for one request. */
    private void refuse(int request, int errno) {
        opener = new DeviceOpener(
                InterceptedCalls.of(
                        host.kernel,
                        (call, arguments) -> call.equals("ioctl") && arguments[1].equals(request) ? -errno : null),
                host.root);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "GROUP; 15206;  1; EACCES; IOMMU group 12: VFIO_SET_IOMMU failed (EPERM);        interrupt remapping on",
        "GROUP; 15206;  1; EACCES; IOMMU group 12: VFIO_SET_IOMMU failed (EPERM);        of vfio_iommu_type1",
        "GROUP; 15206; 22; EINVAL; IOMMU group 12: VFIO_SET_IOMMU failed;                VFIO_SET_IOMMU failed",
        "GROUP; 15210; 13; EACCES; dev0: VFIO_GROUP_GET_DEVICE_FD failed;                PCI_VF_TOKEN",
        "GROUP; 15210; 19; ENODEV; dev0: VFIO_GROUP_GET_DEVICE_FD failed;                has left its IOMMU group",
        "CDEV;  15222;  1; EACCES; dev0: VFIO_DEVICE_BIND_IOMMUFD failed (EPERM);        or a driver that is not VFIO",
        "CDEV;  15222;  1; EACCES; dev0: VFIO_DEVICE_BIND_IOMMUFD failed (EPERM);        interrupts of iommufd",
        "CDEV;  15222; 13; EACCES; dev0: VFIO_DEVICE_BIND_IOMMUFD failed;                PCI_VF_TOKEN",
        "CDEV;  15222; 16; EBUSY;  dev0: VFIO_DEVICE_BIND_IOMMUFD failed;                open in the older way",
        "CDEV;  15223; 22; EINVAL; dev0: VFIO_DEVICE_ATTACH_IOMMUFD_PT failed;           PT failed"
    })
    void shouldSayWhatEachErrorOfARequestMeans(
            Way way, int request, int errno, Errno ours, String begin, String advice) throws Exception {
        host.cdev(FIRST, "pci", "vfio0");
        refuse(request, errno);

        assertThat(assertRefused(ours, FIRST, way)).hasMessageStartingWith(begin).hasMessageContaining(advice);
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
    void shouldSayThatTheKernelHasNoIommufd() throws Exception {
        host.cdev(FIRST, "pci", "vfio3");
        host.refuse("iommu", 2);

        assertThat(assertRefused(Errno.ENOENT, FIRST, Way.CDEV)).hasMessage(host.root + "/dev/iommu: open failed; "
                + "load the module iommufd, or open devices by group where the kernel has none");
    }

    @Test
    void shouldCloseTheGroupWhenTheContainerCannotBeOpened() {
        host.refuse("vfio/vfio", 19);

        assertThat(assertRefused(Errno.ENODEV, FIRST, Way.AUTO))
                .hasMessageEndingWith("load the modules vfio and vfio_iommu_type1, or iommufd");
    }
}
