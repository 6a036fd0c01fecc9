// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeFile;
import dev.ferry.vfio.backend.internal.fake.FakePeer;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that a VMM has open and lends to the bundle through its socket, from the message to the driver and back. */
class LentDeviceTest extends BackendFixture {
    private static final int OWN_USER = 1000;
    private static final int STRANGER = 107;
    private static final String LEND = "ferry-vfio 1 lend ";

    private final List<Integer> ofVmm = new ArrayList<>();
    private Path socket;
    private FakeDevice device;
    private FakePeer vmm;

    @BeforeEach
    void listen() {
        socket = folder.resolve("ferry.sock");
        device = host.devices.get(MDEV);
        keep(device);
        configure(Map.of("handover_socket", socket.toString()));
        vmm = host.kernel.connect(socket, OWN_USER);
    }

    /** The VMM has it open all the time. */
    private FakeFile keep(FakeFile file) {
        ofVmm.add(host.kernel.install(file));
        return file;
    }

    @AfterEach
    void shouldLeaveOnlyWhatTheVmmHas() {
        vmm.close();
        backend.deactivate();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isEqualTo(ofVmm.size());
        ofVmm.forEach(host.kernel::close);
        assertThat(host.trackingIsOn()).isFalse();
    }

    /** Others of the configuration stay. */
    private void configureAlso(Map<String, ?> values) {
        Map<String, Object> all = new HashMap<>(values);
        all.putIfAbsent("handover_socket", socket.toString());
        configure(all);
    }

    @Test
    void shouldServeALentDeviceThoughItIsNotOnTheList() throws Exception {
        assertThat(vmm.ask(LEND + MDEV, device)).isEqualTo("ok host9/" + MDEV);

        assertThat(registered.get("host9/" + MDEV).properties())
                .containsEntry("ferry.vfio.access", "handover")
                .containsEntry("ferry.vfio.dirty.tracking", "device DMA logging")
                .doesNotContainKey("ferry.not.migratable");
        assertThat(driver(MDEV).features()).hasSize(3);
        device.state = FakeDevice.STOP;
        assertThat(driver(MDEV).state()).isEqualTo(DeviceState.STOP);
    }

    @Test
    void shouldMigrateALentDeviceAndLeaveNothingOfItsSessions() throws Exception {
        vmm.ask(LEND + MDEV, device);
        SavingSession saving = (SavingSession) driver(MDEV).step(Arc.RUNNING_TO_PRE_COPY).orElseThrow();
        assertThat(saving.read(ByteBuffer.allocate(100))).isEqualTo(24);

        assertThat(vmm.ask("ferry-vfio 1 return")).isEqualTo("ok");

        assertThat(saving.isOpen()).isTrue();
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> saving.read(ByteBuffer.allocate(100)))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        assertThat(registered).doesNotContainKey("host9/" + MDEV);
    }

    @Test
    void shouldKeepALentDeviceWhateverTheHostAndTheConfigurationSay() throws Exception {
        vmm.ask(LEND + MDEV, device);
        MigrationDriver lent = driver(MDEV);

        configureAlso(Map.of("devices", new String[] {MDEV, VF}));
        configureAlso(Map.of());
        Path sysfs = folder.resolve("sys/bus/mdev/devices").resolve(MDEV);
        Files.move(sysfs, folder.resolve("away"));
        configureAlso(Map.of("host", "host9"));

        assertThat(driver(MDEV)).isSameAs(lent);
        assertThat(lent.state()).isEqualTo(DeviceState.RUNNING);
        Files.move(folder.resolve("away"), sysfs);
    }

    @Test
    void shouldShowADeviceThatWasReturnedAsTheConfigurationHasIt() {
        vmm.ask(LEND + MDEV, device);
        vmm.ask("ferry-vfio 1 return");

        configureAlso(Map.of());

        assertThat(property(MDEV, "ferry.not.migratable")).asString().startsWith("it is not open");
        assertThat(vmm.ask(LEND + MDEV, device)).startsWith("ok");
    }

    @Test
    void shouldTakeADeviceOfAProcessThatEndedFromTheServed() throws Exception {
        vmm.ask(LEND + MDEV, device);

        vmm.close();

        await("-host9/" + MDEV);
    }

    @Test
    void shouldNotTakeADeviceThatIsOpenHere() {
        configureAlso(Map.of("devices", new String[] {MDEV}));

        assertThat(vmm.ask(LEND + MDEV, device)).isEqualTo("refused EBUSY host9/" + MDEV + " is open already");
        assertThat(property(MDEV, "ferry.vfio.access")).asString().startsWith("group 13");
    }

    @Test
    void shouldTakeADeviceOnlyOnceOnAConnection() {
        vmm.ask(LEND + MDEV, device);

        assertThat(vmm.ask(LEND + MDEV, device)).startsWith("refused EINVAL one device is handed over");
    }

    @Test
    void shouldTrackDirtyPagesWithWhatComesBesideTheDevice() {
        device.logRanges = -1;
        assertThat(vmm.ask(LEND + MDEV + " container", device, keep(host.containerOfVmm()))).startsWith("ok");
        assertThat(property(MDEV, "ferry.vfio.dirty.tracking")).asString().startsWith("container dirty pages");
        assertThat(memories).as("is its lender's to map").isEmpty();
        vmm.ask("ferry-vfio 1 return");

        assertThat(vmm.ask(LEND + MDEV + " iommufd 7", device, keep(host.iommufdOfVmm()))).startsWith("ok");
        assertThat(property(MDEV, "ferry.vfio.dirty.tracking")).asString().startsWith("iommufd");
        vmm.ask("ferry-vfio 1 return");

        assertThat(vmm.ask(LEND + MDEV, device)).startsWith("ok");
        assertThat(property(MDEV, "ferry.vfio.dirty.tracking")).asString().startsWith("no dirty tracking");
    }

    /** Another container or iommufd is not known from the right one, but anything else is. */
    @ParameterizedTest
    @ValueSource(strings = {" container", " iommufd 7"})
    void shouldTakeNothingBesideADeviceThatIsNeitherContainerNorIommufd(String beside) throws Exception {
        assertThat(vmm.ask(LEND + MDEV + beside, device, keep(host.devices.get(VF))))
                .startsWith("refused EINVAL the second descriptor is of no ");

        assertThat(registered.get("host9/" + MDEV).properties()).containsKey("ferry.not.migratable");
    }

    /** One VM with two devices lends what they share with each of them. */
    @ParameterizedTest
    @ValueSource(strings = {"container", "iommufd 7"})
    void shouldRecordForTwoDevicesInOnePlace(String beside) throws Exception {
        FakeFile shared = keep(beside.equals("container") ? host.containerOfVmm() : host.iommufdOfVmm());
        host.devices.get(VF).logRanges = -1;
        device.logRanges = -1;
        host.mapPages(0, 64);
        IovaRange range = new IovaRange(0, 64 * 4096);
        try (FakePeer other = host.kernel.connect(socket, OWN_USER)) {
            host.dirty.add(3L);
            assertThat(vmm.ask(LEND + MDEV + " " + beside, device, shared)).startsWith("ok");
            assertThat(other.ask(LEND + VF + " " + beside, keep(host.devices.get(VF)), shared)).startsWith("ok");
            assertThat(host.tracking).as("no trial: the VMM may record now").isEmpty();
            assertThat(host.dirty).containsExactly(3L);
            DirtyTracker first = driver(MDEV).dirtyTracker().orElseThrow();
            DirtyTracker second = driver(VF).dirtyTracker().orElseThrow();

            first.start(4096, List.of(range));
            host.dirty.add(5L);
            second.start(4096, List.of(range));
            assertThat(pages(second, range)).contains(5);
            assertThat(pages(first, range)).as("reported to the other").contains(5);
            vmm.ask("ferry-vfio 1 return");
            host.dirty.add(6L);

            assertThat(pages(second, range)).containsExactly(6);
            assertThat(other.ask("ferry-vfio 1 return")).isEqualTo("ok");
            assertThat(host.tracking).containsExactly("start", "stop");
        }
    }

    private static int[] pages(DirtyTracker tracker, IovaRange range) throws DeviceException {
        byte[] bitmap = new byte[8];
        tracker.reportAndClear(range, ByteBuffer.wrap(bitmap));
        return BitSet.valueOf(bitmap).stream().toArray();
    }

    @Test
    void shouldNotRecordForASecondDeviceWhereItsPlaceCannotBeToldFromTheFirsts() {
        host.kernel.refuse(Request.KCMP, 1);
        FakeFile shared = keep(host.iommufdOfVmm());
        host.devices.get(VF).logRanges = -1;
        device.logRanges = -1;
        try (FakePeer other = host.kernel.connect(socket, OWN_USER)) {
            assertThat(vmm.ask(LEND + MDEV + " iommufd 7", device, shared)).startsWith("ok");
            assertThat(other.ask(LEND + VF + " iommufd 7", keep(host.devices.get(VF)), shared)).startsWith("ok");

            assertThat(property(MDEV, "ferry.vfio.dirty.tracking")).asString().startsWith("iommufd");
            assertThat(property(VF, "ferry.vfio.dirty.tracking")).asString()
                    .startsWith("no dirty tracking").contains("cannot be told: kcmp(2)");
            assertThat(other.ask("ferry-vfio 1 return")).isEqualTo("ok");
        }
    }

    @Test
    void shouldRefuseADeviceThatCannotBeMigratedAndKeepNothingOfIt() {
        device.flags = 0;

        assertThat(vmm.ask(LEND + MDEV, device)).startsWith("refused EOPNOTSUPP");
    }

    @Test
    void shouldLetInUsersThatAreNamedAndNoOthers() throws Exception {
        try (FakePeer stranger = host.kernel.connect(socket, STRANGER)) {
            assertThat(stranger.ask(LEND + MDEV, device)).startsWith("refused EACCES ");
        }
        configureAlso(Map.of("handover_users", new String[] {"" + STRANGER}));
        try (FakePeer stranger = host.kernel.connect(socket, STRANGER)) {
            assertThat(stranger.ask(LEND + MDEV, device)).startsWith("ok");
        }
        await("-host9/" + MDEV);
    }

    @Test
    void shouldLendNoMoreWhenTheSocketIsConfiguredAway() throws Exception {
        vmm.ask(LEND + MDEV, device);

        backend.modified(Configured.with(Map.of()), Map.of());

        await("-host9/" + MDEV);
        assertThat(socket).doesNotExist();
    }

    @Test
    void shouldSayThatNoMoreConnectionsAreTaken() {
        List<FakePeer> others = new ArrayList<>();
        for (int i = 0; i < 63; i++) {
            FakePeer other = host.kernel.connect(socket, OWN_USER);
            assertThat(other.ask("ferry-vfio 1 return")).isEqualTo("ok");
            others.add(other);
        }
        vmm.ask("ferry-vfio 1 return");

        FakePeer oneTooMany = host.kernel.connect(socket, OWN_USER);
        assertThat(oneTooMany.ask("ferry-vfio 1 return")).startsWith("refused EBUSY 64 connections");

        others.forEach(FakePeer::close);
        oneTooMany.close();
    }
}
