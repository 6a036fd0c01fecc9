// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.fsm.DeviceState;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** One device that fails beside another that is in order. */
class DeviceServicesTest extends DeviceServicesFixture {
    private static final String NO_SUPPORT =
            "has no migration support; bind the device to its vendor's VFIO driver";
    private static final String LASTING = "; it is tried again when its driver or the configuration changes";

    /** Somebody may end a connection when what he lent has long been returned and opened here. */
    @Test
    void shouldGiveBackOnlyWhatIsLent() throws Exception {
        update(VF);

        takeBack(VF);

        assertThat(registered.get(VF)).containsKey("ferry.vfio.access");
        assertThat(drivers.get(VF).state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldServeTheOthersWhenOpeningOneBreaks() throws Exception {
        before.put("open", arguments -> {
            if (arguments[0].toString().endsWith("vfio/12")) {
                throw new IllegalStateException("told to break");
            }
        });

        update(VF, MDEV);

        assertThat(reason(VF)).isEqualTo(
                "it cannot be opened; the log says more: java.lang.IllegalStateException: told to break");
        assertThat(reason(MDEV)).isNull();
    }

    @Test
    void shouldCloseADeviceThatCannotBeRegistered() throws Exception {
        registryBreaks = true;
        update(VF, MDEV);

        assertThat(reason(VF)).asString().endsWith("told to break");
        assertThat(reason(MDEV)).asString().endsWith("told to break");
        assertThat(host.kernel.openFiles()).isZero();
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> services.lend(found(VF), opened(VF)));
        assertThat(host.kernel.openFiles()).isZero();

        registryBreaks = false;
        update(VF);
        assertThat(reason(VF)).as("tried again").isNull();
    }

    /** Whoever configured it waits until it is looked at as such, also when the reason stays the same. */
    @Test
    void shouldTellWhetherADeviceIsConfiguredWhateverStandsAgainstIt() throws Exception {
        String groupless = "0000:3b:00.3";
        host.pci(groupless, "virtio_vfio_pci", null);
        update();
        assertThat(reason(groupless)).asString().contains("is in no IOMMU group");
        assertThat(registered.get(groupless)).containsEntry("ferry.vfio.configured", false);

        update(groupless);
        assertThat(reason(groupless)).asString().contains("is in no IOMMU group");
        assertThat(registered.get(groupless)).containsEntry("ferry.vfio.configured", true);

        update();
        assertThat(registered.get(groupless)).containsEntry("ferry.vfio.configured", false);
    }

    @Test
    void shouldTryNothingOnADeviceThatCannotBeMigrated() throws Exception {
        host.devices.get(VF).flags = 0;

        update(VF);

        assertThat(reason(VF)).asString().endsWith(NO_SUPPORT + LASTING);
        assertThat(host.devices.get(VF).loggedRanges).as("of a trial").isNullOrEmpty();
    }

    /** Many devices are reset when they are opened and closed, and meanwhile nobody else can open them. */
    @Test
    void shouldOpenADeviceThatCannotBeMigratedAgainOnlyWhenSomethingHasChanged() throws Exception {
        host.devices.get(VF).flags = 0;
        update(VF);
        update(VF);
        update(VF);
        assertThat(reason(VF)).asString().endsWith(NO_SUPPORT + LASTING);
        assertThat(openings("12")).isEqualTo(1);

        Path driver = folder.resolve("sys/bus/pci/devices").resolve(VF).resolve("driver");
        Files.delete(driver);
        Files.createSymbolicLink(driver, Path.of("../../../bus/drivers/other-vfio-pci"));
        update(VF);
        update(VF);
        assertThat(openings("12")).as("it has another driver").isEqualTo(2);
        assertThat(registered.get(VF)).containsEntry("ferry.vfio.driver", "other-vfio-pci");

        update(VF, MDEV);
        update(VF, MDEV);
        assertThat(openings("12")).as("the settings are others").isEqualTo(3);

        Files.delete(driver);
        update(VF, MDEV);
        Files.createSymbolicLink(driver, Path.of("../../../bus/drivers/other-vfio-pci"));
        host.devices.get(VF).flags = 7;
        update(VF, MDEV);
        assertThat(reason(VF)).as("it was unbound meanwhile").isNull();
    }

    private long openings(String group) {
        return host.kernel.log.stream().filter(call -> call.endsWith("vfio/" + group)).count();
    }
}
