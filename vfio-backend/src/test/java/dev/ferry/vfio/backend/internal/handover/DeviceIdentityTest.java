// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceIdentityTest {
    private static final String VF = "0000:3b:00.2";
    private static final String MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    /** {@code /dev/null}, a character device that every host has. */
    private static final String NULL_NUMBER = "1:3";

    @TempDir
    private Path folder;

    private FakeHost host;
    private FakeDevice vf;
    private int fd;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        vf = host.pci(VF, "virtio_vfio_pci", "12");
        host.mdev(MDEV, "mtty-2", "13");
        Files.createDirectories(folder.resolve("proc/self/fd"));
        Files.createDirectories(folder.resolve("proc/self/fdinfo"));
        fd = host.kernel.install(vf);
        descriptor(Files.writeString(folder.resolve("anonymous"), ""), "");
    }

    private void descriptor(Path target, String info) throws Exception {
        Path link = folder.resolve("proc/self/fd/" + fd);
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, target);
        Files.writeString(folder.resolve("proc/self/fdinfo/" + fd), "pos:\t0\nflags:\t02000002\n" + info);
    }

    private ThrowingCallable taken(String name) {
        VfioDevice device = new VfioDevice(host.kernel, new Descriptor(host.kernel, fd), name);
        return () -> new DeviceIdentity(folder, new DeviceFinder(folder)).require(host.found(name), device, fd);
    }

    private void assertRefused(String name, String shown, String expected) {
        assertThatExceptionOfType(DeviceException.class).isThrownBy(taken(name))
                .matches(e -> e.errno() == Errno.EINVAL)
                .withMessage("the descriptor is of another device than %s: of %s, not of %s", name, shown, expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {22, 25})
    void shouldRefuseWhatIsNoVfioDevice(int number) {
        host.kernel.refuse(Request.DEVICE_GET_INFO, number);
        assertThatExceptionOfType(DeviceException.class).isThrownBy(taken(VF))
                .matches(e -> e.errno() == Errno.EINVAL)
                .withMessageStartingWith("the first descriptor is of no VFIO device");
    }

    /** A device that is being taken out of its host, for example. */
    @ParameterizedTest
    @CsvSource({"19, ENODEV", "5, EIO", "9, EBADF"})
    void shouldPassOnAnyOtherErrorOfADevice(int number, String name) {
        host.kernel.refuse(Request.DEVICE_GET_INFO, number);
        assertThatExceptionOfType(KernelException.class).isThrownBy(taken(VF))
                .matches(e -> e.errnoName().equals(name))
                .withMessageStartingWith(VF + ": VFIO_DEVICE_GET_INFO failed");
    }

    @Test
    void shouldBelieveTheKernelsNameOfTheDeviceFirst() throws Exception {
        vf.config[2] = 0x55; // it says exactly which device this is; what the device shows does not matter
        descriptor(folder.resolve("anonymous"), "vfio-device-syspath:\t/sys/devices/pci0000:3a/" + VF + "\n");
        assertThatCode(taken(VF)).doesNotThrowAnyException();
        assertRefused(MDEV, VF, MDEV);

        descriptor(folder.resolve("anonymous"), "vfio-device-syspath: /sys/devices/pci0000:3a/0000:3b:00.3\n");
        assertRefused(VF, "0000:3b:00.3", VF);
    }

    @Test
    void shouldCompareTheNumberOfACharacterDevice() throws Exception {
        descriptor(Path.of("/dev/null"), "");
        assertRefused(VF, "character device " + NULL_NUMBER, "a group's device");

        host.cdev(VF, "pci", "vfio7");
        Path number = folder.resolve("sys/bus/pci/devices/" + VF + "/vfio-dev/vfio7/dev");
        Files.writeString(number, "511:7\n");
        assertRefused(VF, "character device " + NULL_NUMBER, "character device 511:7");
        Files.writeString(number, NULL_NUMBER + "\n");
        assertThatCode(taken(VF)).doesNotThrowAnyException();
    }

    @Test
    void shouldCompareTheIdsOfAPciFunction() {
        assertThatCode(taken(VF)).doesNotThrowAnyException();
        vf.config[2] = 0x55;
        assertRefused(VF, "1af4:1055", "1af4:1041");
    }

    @Test
    void shouldTakeATransitionalIdForAModernOneOfTheSameDevice() {
        vf.config[2] = 0;
        assertThatCode(taken(VF)).doesNotThrowAnyException();
    }

    @Test
    void shouldBelieveWhatIsSaidOfAMediatedDeviceWhereTheKernelDoesNotTell() {
        assertThatCode(taken(MDEV)).doesNotThrowAnyException();
    }

    @Test
    void shouldReadDeviceNumbersAsTheCLibraryPacksThem() {
        assertThat(DeviceIdentity.deviceNumber(0x103)).isEqualTo(NULL_NUMBER);
        assertThat(DeviceIdentity.deviceNumber(0x0000_0000_0FF1_FF07L)).isEqualTo("511:65287");
        assertThat(DeviceIdentity.deviceNumber(0x0000_1000_0000_0001L)).isEqualTo("4096:1");
    }
}
