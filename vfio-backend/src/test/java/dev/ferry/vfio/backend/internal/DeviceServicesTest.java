// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.fsm.DeviceState;
import org.junit.jupiter.api.Test;

/** One device that fails beside another that is in order. */
class DeviceServicesTest extends DeviceServicesFixture {
    /** Somebody may end a connection when what he lent has long been returned and opened here. */
    @Test
    void shouldGiveBackOnlyWhatIsLent() throws Exception {
        update(VF);

        services.takeBack(VF);

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
}
