// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import java.util.Map;
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
                "data_timeout_millis", 10,
                "rescan_seconds", 3600,
                "handover_socket", "/run/ferry.sock",
                "handover_users", new int[] {107})));

        assertThat(settings.devices())
                .containsExactlyInAnyOrder("0000:3b:00.2", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
        assertThat(settings.host()).contains("alpha-1");
        assertThat(settings.access()).isEqualTo(DeviceOpener.Way.CDEV);
        assertThat(settings.dirtyTracking()).containsExactly(DirtyTracking.Way.CONTAINER);
        assertThat(settings.handoverSocket().orElseThrow()).hasToString("/run/ferry.sock");
        assertThat(settings.handoverUsers()).containsExactly(107);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            devices | eth0 | devices: 'eth0' is neither a PCI address like 0000:3b:00.2 nor a UUID
            host | a/b | host: 'a/b' may have letters, digits, dots, dashes and underscores only
            access | kvm | access: 'kvm' is none of [auto, group, cdev]
            dirty_tracking | guess | dirty.tracking: 'guess' is none of [device, iommufd, container]
            data_timeout_millis | 9 | data.timeout.millis: 9 is not from 10 to 60000
            rescan_seconds | 0 | rescan.seconds: 0 is not from 1 to 3600
            handover_socket | ferry.sock | handover.socket: 'ferry.sock' must be an absolute path of less than 108 bytes
            """)
    void shouldSayWhichKeyIsWrong(String key, String value, String message) {
        Object typed = key.equals("devices") || key.equals("dirty_tracking") ? new String[] {value}
                : value.matches("\\d+") ? Integer.valueOf(value) : value;

        assertThatIllegalArgumentException()
                .isThrownBy(() -> BackendSettings.of(Configured.with(Map.of(key, typed))))
                .withMessage(message);
    }
}
