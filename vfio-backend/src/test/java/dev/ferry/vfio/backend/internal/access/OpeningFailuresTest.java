// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.DeviceOpener.Way;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.PageTable;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Plain;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Tracking;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every request on the way to a device fails once; nothing stays open, and the next attempt succeeds. */
class OpeningFailuresTest {
    private static final String NAME = "0000:3b:00.2";

    @TempDir
    private Path folder;

    private FakeHost host;
    private DeviceOpener opener;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.pci(NAME, "vfio-pci", "12");
        opener = new DeviceOpener(host.kernel, host.root);
    }

    @AfterEach
    void shouldLeaveNoDescriptor() {
        assertThat(host.kernel.openFiles()).isZero();
    }

    private DeviceException refused(Way way) {
        DeviceException refused = assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> opener.open(host.found(NAME), "dev0", way))
                .actual();
        assertThat(host.kernel.openFiles()).isZero();
        return refused;
    }

    @ParameterizedTest
    @EnumSource(value = Request.class, names = {
        "GROUP_GET_STATUS", "GROUP_SET_CONTAINER", "SET_IOMMU", "GROUP_GET_DEVICE_FD"})
    void shouldCloseTheGroupAndTheContainer(Request request) throws Exception {
        host.kernel.refuse(request, 5);
        assertThat(refused(Way.GROUP)).hasMessageContaining("VFIO_" + request + " failed");

        host.kernel.refuse(request, 0);
        opener.open(host.found(NAME), "dev0", Way.GROUP).close();
    }

    /** Whatever is thrown out of whichever call, also what is no failure of the device. */
    @ParameterizedTest
    @EnumSource(value = Way.class, names = {"GROUP", "CDEV"})
    void shouldCloseAllBehindAnError(Way way) throws Exception {
        host.cdev(NAME, "pci", "vfio0");
        AtomicInteger beforeError = new AtomicInteger();
        opener = new DeviceOpener(InterceptedCalls.of(host.kernel, (call, arguments) -> {
            if (!call.equals("close") && beforeError.getAndDecrement() == 0) {
                throw new OutOfMemoryError("told to fail");
            }
            return null;
        }), host.root);

        int failures = 0;
        for (; throwsAt(failures, beforeError, way); failures++) {
            assertThat(host.kernel.openFiles()).as("behind call %d", failures).isZero();
            beforeError.set(-1);
            opener.open(host.found(NAME), "dev0", way).close();
        }
        assertThat(failures).as("calls on the way").isBetween(4, 20);
    }

    private boolean throwsAt(int call, AtomicInteger beforeError, Way way) throws Exception {
        beforeError.set(call);
        try {
            opener.open(host.found(NAME), "dev0", way).close();
            return false;
        } catch (OutOfMemoryError e) {
            return true;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "BIND_IOMMUFD, VFIO_DEVICE_BIND_IOMMUFD", "ATTACH_IOMMUFD_PT, VFIO_DEVICE_ATTACH_IOMMUFD_PT",
        "IOAS_ALLOC, IOMMU_IOAS_ALLOC", "HWPT_ALLOC, IOMMU_HWPT_ALLOC",
        "OPTION, IOMMU_OPTION"})
    void shouldCloseTheCharacterDeviceAndIommufd(Request request, String call) throws Exception {
        host.cdev(NAME, "pci", "vfio0");
        host.iommuMarksPages = true;
        host.kernel.refuse(request, 5);
        assertThat(refused(Way.CDEV)).hasMessageContaining(call + " failed");

        host.kernel.refuse(request, 0);
        opener.open(host.found(NAME), "dev0", Way.CDEV).close();
    }

    @Test
    void shouldCloseTheRestBehindAnErrorOfTheDevice() throws Exception {
        AtomicInteger closed = new AtomicInteger();
        OpenDevice open = new DeviceOpener(InterceptedCalls.of(host.kernel, (call, arguments) -> {
            if (call.equals("close") && closed.getAndIncrement() == 0) {
                host.kernel.close((int) arguments[0]);
                throw new OutOfMemoryError("told to fail");
            }
            return null;
        }), host.root).open(host.found(NAME), "dev0", Way.GROUP);

        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(open::close);

        assertThat(closed).as("device, group and container").hasValue(3);
    }

    @Test
    void shouldNotUseAVfioOfAnotherVersion() {
        host.apiVersion = 1;

        DeviceException refused = refused(Way.GROUP);
        assertThat(refused.errno()).isEqualTo(Errno.EOPNOTSUPP);
        assertThat(refused).hasMessage("the kernel's VFIO has version 1, not 0");
    }

    /** A mediated device has no page table. */
    @ParameterizedTest
    @CsvSource({"true, attach 8, ", "false, attach 7, "
        + "'the IOMMU, or the kernel (before 6.7), marks no written pages (IOMMU_HWPT_ALLOC: EOPNOTSUPP)'"})
    void shouldAttachToAPageTableThatTracksWhereThereIsOne(boolean marks, String attached, String reason)
            throws Exception {
        String uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
        host.mdev(uuid, "mtty-2", "13");
        host.cdev(uuid, "mdev", "vfio1");
        host.cdev(NAME, "pci", "vfio0");
        host.iommuMarksPages = marks;
        try (OpenDevice open = opener.open(host.found(NAME), "dev0", Way.CDEV)) {
            assertThat(pageTable(open)).isEqualTo(marks ? new Tracking(8) : new Plain(reason));
        }
        assertThat(host.devices.get(NAME).steps).containsExactly(attached);
        try (OpenDevice open = opener.open(host.found(uuid), "dev0", Way.CDEV)) {
            assertThat(pageTable(open))
                    .isEqualTo(new Plain("a mediated device has no page table (IOMMU_HWPT_ALLOC: ENOENT)"));
        }
        assertThat(host.devices.get(uuid).steps).containsExactly("attach 7");
    }

    private static PageTable pageTable(OpenDevice open) {
        return ((IommufdSpace) open.space().orElseThrow()).pageTable();
    }

    /** Kernels before 6.6 do not know the request; any other error may be gone soon. */
    @ParameterizedTest
    @ValueSource(ints = {22, 25})
    void shouldOpenADeviceWhereTheKernelMakesNoPageTableThatTracks(int errno) throws Exception {
        host.cdev(NAME, "pci", "vfio0");
        host.kernel.refuse(Request.HWPT_ALLOC, errno);

        try (OpenDevice open = opener.open(host.found(NAME), "dev0", Way.CDEV)) {
            assertThat(((Plain) pageTable(open)).reason())
                    .startsWith("the kernel makes no page table that marks written pages");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {22, 25, 95})
    void shouldNotTrackWhereTheKernelMayHaveOneMarkForManyPages(int errno) throws Exception {
        host.iommuMarksPages = true;
        host.cdev(NAME, "pci", "vfio0");
        host.kernel.refuse(Request.OPTION, errno);

        try (OpenDevice open = opener.open(host.found(NAME), "dev0", Way.CDEV)) {
            assertThat(((Plain) pageTable(open)).reason()).startsWith(
                    "the kernel does not have a mark for each page of the host's (IOMMU_OPTION: ");
        }
        assertThat(host.devices.get(NAME).steps).containsExactly("attach 7");
    }
}
