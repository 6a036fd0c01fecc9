// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.EnumSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What speaks against a migration, before anything is touched. */
class FindingsTest {

    @Test
    void shouldCollectAllFindings() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.state = DeviceState.STOP;
            rig.destination.state = DeviceState.RESUMING;
            assertThat(rig.service.check(rig.request()))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.SOURCE_NOT_RUNNING, Finding.Code.DESTINATION_NOT_IDLE);
            assertThat(rig.service.check(MigrationRequest.of("nowhere", MigrationRig.DESTINATION)))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.DEVICE_NOT_FOUND, Finding.Code.DESTINATION_NOT_IDLE);
            assertThat(rig.service.check(MigrationRequest.of(MigrationRig.DESTINATION, MigrationRig.DESTINATION)))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.SAME_DEVICE, Finding.Code.SOURCE_NOT_RUNNING);

            var odd = MigrationRig.properties("host3/x", 13);
            odd.put("ferry.device.type", "other");
            odd.put("ferry.stream.name", "foreign");
            rig.service.addDriver(new ScriptedDriver("host3/x", EnumSet.of(MigrationFeature.P2P), "text:"), odd);
            rig.source.state = DeviceState.RUNNING;
            assertThat(rig.service.check(MigrationRequest.of(MigrationRig.SOURCE, "host3/x")))
                    .extracting(Finding::code)
                    .containsExactly(
                            Finding.Code.TYPE_MISMATCH,
                            Finding.Code.STREAM_FORMAT_MISMATCH,
                            Finding.Code.NOT_MIGRATABLE);
        }
    }

    @Test
    void shouldTouchNothingWhenTheCheckFails() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.state = DeviceState.RESUMING;

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
            assertThat(report.failure().orElseThrow().message()).contains("RESUMING", "take it to RUNNING");
            assertThat(report.failure().orElseThrow().phase()).contains(MigrationPhase.CHECK);
            assertThat(rig.source.arcs).isEmpty();
            assertThat(rig.destination.arcs).isEmpty();
            assertThat(rig.destination.resets).hasValue(0);
        }
    }

    @Test
    void shouldNameEachFindingWhenThereAreSeveral() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.state = DeviceState.STOP;
            rig.destination.state = DeviceState.RESUMING;

            assertThat(rig.migrate().failure().orElseThrow().message())
                    .contains("SOURCE_NOT_RUNNING: ", "DESTINATION_NOT_IDLE: ");
        }
    }

    @Test
    void shouldSayThatADeviceIsNotThereWhenThatIsAll() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            Failure failure = rig.service
                    .start(MigrationRequest.of(MigrationRig.SOURCE, "nowhere"), MigrationListener.NONE)
                    .result()
                    .toCompletableFuture()
                    .get(10, TimeUnit.SECONDS)
                    .failure()
                    .orElseThrow();

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_NOT_FOUND);
            assertThat(failure.device()).contains("nowhere");
            assertThat(failure.message()).startsWith("nowhere: no device has this id");
        }
    }

    @Test
    void shouldAskAllDevicesForTheirProfilesAtTheSameTime() {
        int devices = 4;
        try (LiveRig rig = new LiveRig(devices)) {
            CyclicBarrier together = new CyclicBarrier(2 * devices);
            rig.intercept((device, call) -> {
                if (call.equals("profile")) {
                    LiveRig.meet(together);
                }
            });
            assertThat(rig.migrate().failure()).isEmpty();
        }
    }
}
