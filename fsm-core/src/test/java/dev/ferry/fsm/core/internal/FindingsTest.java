// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static dev.ferry.fsm.core.internal.MigrationRig.DESTINATION;
import static dev.ferry.fsm.core.internal.MigrationRig.SOURCE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
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
import java.util.stream.Collectors;
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
            assertThat(rig.service.check(MigrationRequest.of("nowhere", DESTINATION)))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.DEVICE_NOT_FOUND, Finding.Code.DESTINATION_NOT_IDLE);
            assertThat(rig.service.check(MigrationRequest.of(DESTINATION, DESTINATION)))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.SAME_DEVICE, Finding.Code.SOURCE_NOT_RUNNING);

            var odd = MigrationRig.properties("host3/x", 13);
            odd.put("ferry.device.type", "other");
            odd.put("ferry.stream.name", "foreign");
            rig.service.addDriver(new ScriptedDriver("host3/x", EnumSet.of(MigrationFeature.P2P), "text:"), odd);
            rig.source.state = DeviceState.RUNNING;
            assertThat(rig.service.check(MigrationRequest.of(SOURCE, "host3/x")))
                    .extracting(Finding::code)
                    .containsExactly(
                            Finding.Code.TYPE_MISMATCH,
                            Finding.Code.STREAM_FORMAT_MISMATCH,
                            Finding.Code.NOT_MIGRATABLE);
        }
    }

    @Test
    void shouldNotAdviseToRunOrOverwriteWhatIsHeldBack() {
        try (MigrationRig rig = new MigrationRig()) {
            WayBackTest.failBesideADestinationThatMayAct(rig);

            assertThat(messageAbout(rig, SOURCE, DESTINATION, Finding.Code.SOURCE_NOT_RUNNING))
                    .startsWith("host1/vf1: it is STOP_COPY, and host2/vf1 could be neither reset nor stopped")
                    .endsWith("reset host2/vf1 before anything runs this device.")
                    .doesNotContain("RUNNING");
            assertThat(messageAbout(rig, "host9/vf9", SOURCE, Finding.Code.DESTINATION_NOT_IDLE))
                    .startsWith("host1/vf1: it is STOP_COPY, and host2/vf1 could be neither reset nor stopped")
                    .endsWith("reset host2/vf1 before anything runs this device.")
                    .doesNotContain("RUNNING");
        }
    }

    @Test
    void shouldSayThatAResetGivesTheLastCopyUp() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, () -> {
                rig.destination.state = DeviceState.ERROR;
                throw new DeviceException(Errno.EIO, "scripted");
            });
            rig.migrate();

            assertThat(messageAbout(rig, SOURCE, DESTINATION, Finding.Code.DESTINATION_NOT_IDLE))
                    .startsWith("host2/vf1: it is ERROR, and it took over the state of host1/vf1")
                    .endsWith("take it to RUNNING, or reset it to give that state up.");
            assertThat(messageAbout(rig, SOURCE, DESTINATION, Finding.Code.SOURCE_NOT_RUNNING))
                    .startsWith("host1/vf1: it is STOP, and host2/vf1 took over its state and has not run with it")
                    .contains("may be the last one")
                    .doesNotContain("take it to RUNNING");
        }
    }

    @Test
    void shouldNotAdviseToRunAtOnceWhatWasFoundStopped() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.state = DeviceState.STOP;

            assertThat(messageAbout(rig, SOURCE, DESTINATION, Finding.Code.SOURCE_NOT_RUNNING))
                    .isEqualTo("host1/vf1: it is STOP, and it has not been seen RUNNING since its driver came; take it "
                            + "to RUNNING, if nothing else acts for its guest, or reset it.");
        }
    }

    /** An earlier service may have left there what it could not run, and lend and return leave the state as it is. */
    @Test
    void shouldNotMigrateIntoADeviceThatWasFoundStopped() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.state = DeviceState.STOP;
            String found = "host2/vf1: it is STOP, and it has not been seen RUNNING since its driver came; take it to "
                    + "RUNNING, if nothing else acts for its guest, or reset it.";

            assertThat(messageAbout(rig, SOURCE, DESTINATION, Finding.Code.DESTINATION_NOT_IDLE)).isEqualTo(found);
            assertThat(rig.migrate().failure().orElseThrow().message()).isEqualTo(found);
            assertThat(rig.destination.arcs).isEmpty();
            assertThat(rig.destination.resets).hasValue(0);

            rig.service.reset(DESTINATION);
            rig.service.setState(DESTINATION, DeviceState.STOP);
            assertThat(rig.service.check(rig.request())).isEmpty();
        }
    }

    @Test
    void shouldMigrateIntoADeviceThatWasFoundStoppedOnceItHasRun() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.state = DeviceState.STOP;
            rig.service.setState(DESTINATION, DeviceState.RUNNING);
            rig.service.setState(DESTINATION, DeviceState.STOP);

            assertThat(rig.migrate().failure()).isEmpty();
        }
    }

    @Test
    void shouldAdviseToRunASourceThatWasMigratedAwayOrStopped() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DESTINATION, DeviceState.STOP);
            rig.migrate();

            assertThat(messageAbout(rig, SOURCE, DESTINATION, Finding.Code.SOURCE_NOT_RUNNING))
                    .isEqualTo("host1/vf1: it is STOP; take it to RUNNING first.");
            rig.service.setState(DESTINATION, DeviceState.STOP);
            assertThat(messageAbout(rig, DESTINATION, SOURCE, Finding.Code.SOURCE_NOT_RUNNING))
                    .isEqualTo("host2/vf1: it is STOP; take it to RUNNING first.");
        }
    }

    private static String messageAbout(MigrationRig rig, String source, String destination, Finding.Code code) {
        return rig.service.check(MigrationRequest.of(source, destination)).stream()
                .filter(finding -> finding.code() == code)
                .map(Finding::message)
                .collect(Collectors.joining("\n"));
    }

    @Test
    void shouldTouchNothingWhenTheCheckFails() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.state = DeviceState.RESUMING;

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
            assertThat(report.failure().orElseThrow().message()).contains("RESUMING", "take it to RUNNING");
            assertThat(report.failure().orElseThrow().phase()).contains(MigrationPhase.CHECK);
            assertThat(report.findings())
                    .singleElement()
                    .extracting(Finding::code, Finding::device)
                    .containsExactly(Finding.Code.DESTINATION_NOT_IDLE, DESTINATION);
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

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().message())
                    .contains("SOURCE_NOT_RUNNING: ", "DESTINATION_NOT_IDLE: ");
            assertThat(report.findings())
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.SOURCE_NOT_RUNNING, Finding.Code.DESTINATION_NOT_IDLE);
        }
    }

    @Test
    void shouldSayThatADeviceIsNotThereWhenThatIsAll() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            Failure failure = rig.service
                    .start(MigrationRequest.of(SOURCE, "nowhere"), MigrationListener.NONE)
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
