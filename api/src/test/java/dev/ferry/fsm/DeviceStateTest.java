// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import static dev.ferry.fsm.MigrationFeature.P2P;
import static dev.ferry.fsm.MigrationFeature.PRE_COPY;
import static dev.ferry.fsm.MigrationFeature.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeviceStateTest {

    /** The names in the order of their numbers in include/uapi/linux/vfio.h, typed in by hand. */
    private static final List<String> UAPI_NAMES = List.of(
            "ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P");

    @Test
    void shouldCarryTheNumbersOfTheKernelHeader() {
        assertThat(DeviceState.values()).hasSize(UAPI_NAMES.size());
        for (int number = 0; number < UAPI_NAMES.size(); number++) {
            assertThat(DeviceState.ofNumber(number)).map(DeviceState::name).contains(UAPI_NAMES.get(number));
            assertThat(DeviceState.valueOf(UAPI_NAMES.get(number)).number()).isEqualTo(number);
        }
    }

    @Test
    void shouldNotKnowOtherNumbers() {
        assertThat(DeviceState.ofNumber(-1)).isEmpty();
        assertThat(DeviceState.ofNumber(8)).isEmpty();
    }

    @Test
    void shouldExistAsTheFeaturesAllow() {
        assertThat(supportedBy(EnumSet.of(STOP_COPY))).containsExactly("STOP", "RUNNING", "STOP_COPY", "RESUMING");
        assertThat(supportedBy(EnumSet.of(STOP_COPY, P2P)))
                .containsExactly("STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P");
        assertThat(supportedBy(EnumSet.of(STOP_COPY, PRE_COPY)))
                .containsExactly("STOP", "RUNNING", "STOP_COPY", "RESUMING", "PRE_COPY");
        assertThat(supportedBy(EnumSet.allOf(MigrationFeature.class)))
                .containsExactly(
                        "STOP", "RUNNING", "STOP_COPY", "RESUMING", "RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P");
        assertThat(supportedBy(Set.of())).containsExactly("RUNNING");
    }

    @Test
    void shouldHaveASessionExactlyInTheSavingGroupAndResuming() {
        assertThat(DeviceState.values())
                .filteredOn(DeviceState::hasSession)
                .containsExactly(
                        DeviceState.STOP_COPY,
                        DeviceState.RESUMING,
                        DeviceState.PRE_COPY,
                        DeviceState.PRE_COPY_P2P);
        assertThat(DeviceState.values())
                .filteredOn(DeviceState::isRunning)
                .containsExactly(DeviceState.RUNNING, DeviceState.PRE_COPY);
    }

    private static List<String> supportedBy(Set<MigrationFeature> features) {
        return List.of(DeviceState.values()).stream()
                .filter(state -> state.isSupportedBy(features))
                .map(DeviceState::name)
                .toList();
    }
}
