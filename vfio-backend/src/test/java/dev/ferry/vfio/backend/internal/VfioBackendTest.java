// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.device.DeviceException;
import dev.ferry.device.IovaRange;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VfioBackendTest extends BackendFixture {
    private static final String NOT_ALLOWED =
            "it is not open: add it to the list 'devices' of the configuration dev.ferry.vfio.backend";

    @AfterEach
    void shouldLeaveNothing() {
        backend.deactivate();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }

    private Object reason(String name) {
        return property(name, "ferry.not.migratable");
    }

    @Test
    void shouldShowEveryDeviceAndOpenNone() {
        configure(Map.of());

        assertThat(host.kernel.log).isEmpty();
        assertThat(registered).containsOnlyKeys("host9/" + VF, "host9/" + MDEV);
        assertThat(reason(VF)).isEqualTo(NOT_ALLOWED);
        assertThat(driver(MDEV).features()).isEmpty();
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> driver(MDEV).step(Arc.RUNNING_TO_STOP))
                .withMessage("host9/" + MDEV + " cannot be migrated: " + NOT_ALLOWED);
    }

    @Test
    void shouldSayWhatStandsAgainstADeviceBeforeItIsConfigured() throws Exception {
        host.pci("0000:3b:00.3", "virtio_vfio_pci", null);
        host.mdev("83b8f4f2-509f-382f-3c1e-e6bfe0fa1002", "mtty-2", "14");
        Files.delete(folder.resolve("sys/bus/mdev/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa1002/driver"));

        configure(Map.of());

        assertThat(reason("0000:3b:00.3")).asString().contains("is in no IOMMU group");
        assertThat(registered.get("host9/0000:3b:00.3").properties()).containsEntry(
                "ferry.vfio.driver", "virtio_vfio_pci");
        assertThat(reason("83b8f4f2-509f-382f-3c1e-e6bfe0fa1002")).asString().contains("is bound to no driver");
        assertThat(registered.get("host9/83b8f4f2-509f-382f-3c1e-e6bfe0fa1002").properties())
                .doesNotContainKey("ferry.vfio.driver");
        assertThat(reason(VF)).isEqualTo(NOT_ALLOWED);
        assertThat(host.kernel.log).isEmpty();
    }

    @Test
    void shouldOpenWhatIsConfigured() throws Exception {
        configure(Map.of("devices", new String[] {MDEV}));

        assertThat(memories).containsOnlyKeys("host9/" + MDEV);
        assertThat(registered.get("host9/" + MDEV).properties()).isEqualTo(Map.of(
                "ferry.device.id", "host9/" + MDEV,
                "ferry.device.type", "vfio/mtty-2",
                "ferry.backend", "vfio",
                "ferry.host", "host9",
                "ferry.stream.name", "vfio",
                "ferry.vfio.configured", true,
                "ferry.vfio.driver", "vfio_mtty",
                "ferry.vfio.access", "group 13 and container (the kernel offers no iommufd with character devices)",
                "ferry.vfio.dirty.tracking", "device DMA logging"));
        assertThat(driver(MDEV).features()).hasSize(3);
        assertThat(driver(MDEV).state()).isEqualTo(DeviceState.RUNNING);
        assertThat(reason(VF)).isEqualTo(NOT_ALLOWED);
    }

    @Test
    void shouldFollowTheConfiguration() {
        configure(Map.of("devices", new String[] {MDEV}));
        configure(Map.of("devices", new String[] {VF}));
        assertThat(reason(MDEV)).isEqualTo(NOT_ALLOWED);
        assertThat(reason(VF)).isNull();
        assertThat(host.kernel.openFiles()).isEqualTo(3);

        configure(Map.of("devices", new String[] {VF}, "host", "alpha"));
        assertThat(registered).containsOnlyKeys("alpha/" + VF, "alpha/" + MDEV);
    }

    @Test
    void shouldEndRecordingWhenADeviceIsNoLongerConfigured() throws Exception {
        configure(Map.of("devices", new String[] {MDEV}));
        driver(MDEV).dirtyTracker().orElseThrow().start(4096, List.of(new IovaRange(0, 4096)));
        assertThat(host.devices.get(MDEV).logging).isTrue();

        configure(Map.of("devices", new String[] {VF}));

        assertThat(host.devices.get(MDEV).logging).isFalse();
    }

    @Test
    void shouldKeepTheLastGoodConfiguration() {
        configure(Map.of("devices", new String[] {VF}));
        configure(Map.of("devices", new String[] {"nonsense"}));

        assertThat(reason(VF)).isNull();
    }

    @Test
    void shouldAnswerEachConfigurationByAServiceOfItsOwn() {
        configure(Map.of("access", "foo"));
        ConfigurationOutcome first = outcomes.iterator().next();
        configure(Map.of("access", "foo"));

        assertThat(outcomes).containsExactly(first);
        assertThat(outcomes.iterator().next()).as("the service").isNotSameAs(first);
    }

    @Test
    void shouldAnswerWhatBecameOfTheConfigurationThatItWasGivenLast() {
        backend.modified(Configured.with(Map.of()), Map.of("component.id", 7L));
        assertThat(outcomes).as("the defaults are nobody's").isEmpty();

        configure(Map.of("access", "foo"));
        assertThat(outcomes).containsExactly(new ConfigurationOutcome(
                BackendConfiguration.PID, Optional.of("access: 'foo' is none of [auto, group, cdev]")));
        configure(Map.of("access", "group"));
        assertThat(outcomes).containsExactly(new ConfigurationOutcome(BackendConfiguration.PID, Optional.empty()));

        backend.deactivate();
        assertThat(outcomes).isEmpty();
    }

    @Test
    void shouldGiveAPlainTypeWhenTheDeviceIsNotThere() {
        configure(Map.of("devices", new String[] {"0000:99:00.0"}));

        assertThat(property("0000:99:00.0", "ferry.device.type")).isEqualTo("vfio");
    }

    @Test
    void shouldSayWhyAConfiguredDeviceIsNotOpen() {
        host.devices.get(VF).flags = 0;
        host.refuse("vfio/13", 13);
        configure(Map.of("devices", new String[] {VF, MDEV, "0000:99:00.0"}));

        assertThat(reason(VF)).isEqualTo("the kernel driver of host9/" + VF
                + " has no migration support; bind the device to its vendor's VFIO driver;"
                + " it is tried again when its driver or the configuration changes");
        assertThat(reason(MDEV)).asString().contains(": open failed (EACCES); give this process's user read and write");
        assertThat(reason("0000:99:00.0")).asString().startsWith("there is no PCI function");
    }

    @Test
    void shouldFollowTheHost() throws Exception {
        configure(Map.of("devices", new String[] {VF, MDEV}));
        Path device = folder.resolve("sys/bus/mdev/devices").resolve(MDEV);
        try (var files = Files.list(device)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(device);

        configure(Map.of("devices", new String[] {VF}));

        assertThat(registered).containsOnlyKeys("host9/" + VF);
        assertThat(host.kernel.openFiles()).isEqualTo(3);
    }

    @Test
    void shouldFindAndResetADeviceThatAKilledProcessLeft() throws Exception {
        host.devices.get(MDEV).state = 4;
        configure(Map.of("devices", new String[] {MDEV}));

        assertThat(driver(MDEV).state()).isEqualTo(DeviceState.RESUMING);
        driver(MDEV).reset();
        assertThat(driver(MDEV).state()).isEqualTo(DeviceState.RUNNING);
    }
}
