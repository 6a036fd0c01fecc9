// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackendSettingsTest {

    @Test
    void shouldOpenNothingByDefault() {
        BackendSettings settings = BackendSettings.of(Configured.with(Map.of()));

        assertThat(settings.devices()).isEmpty();
        assertThat(settings.access()).isEqualTo(DeviceOpener.Way.AUTO);
        assertThat(settings.dirtyTracking()).containsExactly(DirtyTracking.Way.values());
        assertThat(settings.dataTimeoutMillis()).isEqualTo(5_000);
        assertThat(settings.handoverSocket()).isEmpty();
    }

    @Test
    void shouldTakeWhatIsConfigured() {
        BackendSettings settings = BackendSettings.of(Configured.with(Map.of(
                "devices", new String[] {" 0000:3B:00.2", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"},
                "host", "alpha-1",
                "access", "Cdev",
                "dirty_tracking", new String[] {"container"},
                "data_timeout_millis", " 10",
                "rescan_seconds", "3600",
                "handover_socket", "/run/ferry.sock",
                "handover_users", new String[] {"107", "4294967294"})));

        assertThat(settings.devices())
                .containsExactlyInAnyOrder("0000:3b:00.2", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
        assertThat(settings.host()).contains("alpha-1");
        assertThat(settings.access()).isEqualTo(DeviceOpener.Way.CDEV);
        assertThat(settings.dirtyTracking()).containsExactly(DirtyTracking.Way.CONTAINER);
        assertThat(settings.handoverSocket().orElseThrow()).hasToString("/run/ferry.sock");
        assertThat(settings.dataTimeoutMillis()).isEqualTo(10);
        assertThat(settings.rescanSeconds()).isEqualTo(3600);
        assertThat(settings.handoverUsers()).as("as the kernel's bits").containsExactlyInAnyOrder(107, -2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            devices | eth0 | devices: 'eth0' is neither a PCI address like 0000:3b:00.2 nor a UUID
            host | a/b | host: 'a/b' may have letters, digits, dots, dashes and underscores only
            access | kvm | access: 'kvm' is none of [auto, group, cdev]
            dirty_tracking | guess | dirty.tracking: 'guess' is none of [device, iommufd, container]
            data_timeout_millis | 9 | data.timeout.millis: '9' is not a whole number from 10 to 60000
            data_timeout_millis | soon | data.timeout.millis: 'soon' is not a whole number from 10 to 60000
            data_timeout_millis | 9999999999 | data.timeout.millis: '9999999999' is not a whole number from 10 to 60000
            rescan_seconds | 0 | rescan.seconds: '0' is not a whole number from 1 to 3600
            rescan_seconds | 1.5 | rescan.seconds: '1.5' is not a whole number from 1 to 3600
            rescan_seconds | '' | rescan.seconds: '' is not a whole number from 1 to 3600
            handover_users | x | handover.users: 'x' is not a whole number from 0 to 4294967294
            handover_users | -1 | handover.users: '-1' is not a whole number from 0 to 4294967294
            handover_users | 4294967295 | handover.users: '4294967295' is not a whole number from 0 to 4294967294
            handover_socket | ferry.sock | handover.socket: 'ferry.sock' must be an absolute path of less than 108 bytes
            """)
    void shouldSayWhichKeyIsWrong(String key, String value, String message) {
        Object typed = Set.of("devices", "dirty_tracking", "handover_users").contains(key)
                ? new String[] {value}
                : value;

        assertThatIllegalArgumentException()
                .isThrownBy(() -> BackendSettings.of(Configured.with(Map.of(key, typed))))
                .withMessage(message);
    }

    @Test
    void shouldKnowTheKeysAsTheyAreWritten() {
        assertThat(ConfigurationKeys.of(BackendConfiguration.class).known()).containsExactly("access",
                "data.timeout.millis", "devices", "dirty.tracking", "handover.socket", "handover.users", "host",
                "rescan.seconds");
    }
}
