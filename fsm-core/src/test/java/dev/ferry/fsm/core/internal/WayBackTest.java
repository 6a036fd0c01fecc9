// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When the way back fails as well. */
class WayBackTest {

    private static final ScriptedDriver.Step BROKEN = () -> {
        throw new DeviceException(Errno.EIO, "scripted");
    };

    @Test
    void shouldResetWhenUnwindingFails() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.once(Arc.RESUMING_TO_STOP, BROKEN);
            rig.source.once(Arc.STOP_COPY_TO_STOP, BROKEN);

            MigrationReport report = rig.migrate();

            assertFailed(report, MigrationRig.DESTINATION);
            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::message)
                    .satisfiesExactly(
                            first -> assertThat(first).contains("STOP_COPY to STOP failed"),
                            second -> assertThat(second).contains("was reset"));
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.sourceGuest.running).isTrue();
            rig.assertDestinationOwnsNothing();
        }
    }

    @Test
    void shouldLeaveTheGuestPausedAndSaySoWhenEvenTheResetFails() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.once(Arc.RESUMING_TO_STOP, BROKEN);
            rig.source.once(Arc.STOP_COPY_TO_STOP, () -> {
                rig.source.state = DeviceState.ERROR;
                BROKEN.run();
            });
            rig.source.onReset = BROKEN;

            MigrationReport report = rig.migrate();

            assertFailed(report, MigrationRig.DESTINATION);
            assertThat(report.sourceState()).contains(DeviceState.ERROR);
            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::message)
                    .anyMatch(message -> message.contains("could not be reset"))
                    .anyMatch(message -> message.contains("left paused"));
            assertThat(rig.sourceGuest.running).isFalse();
            rig.assertDestinationOwnsNothing();
        }
    }

    @Test
    void shouldNeverRunWhatADestinationHoldsThatCouldNotBeReset() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.onReset = BROKEN;
            rig.sourceGuest.failing = null;
            rig.destination.once(Arc.STOP_TO_RUNNING_P2P, BROKEN);

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.destination.state).isEqualTo(DeviceState.STOP);
            assertThat(rig.destination.text).isEqualTo(MigrationRig.TEXT);
            assertThat(SaveAndRestoreTest.failureOf(
                                    () -> rig.service.setState(MigrationRig.DESTINATION, DeviceState.RUNNING))
                            .code())
                    .isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(rig.destination.state).isEqualTo(DeviceState.STOP);
            rig.destination.onReset = () -> {};
            rig.service.setState(MigrationRig.DESTINATION, DeviceState.RUNNING);
            assertThat(rig.destination.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }

    @Test
    void shouldStopADestinationThatMayActAndCannotBeResetBeforeTheSourceRuns() {
        try (MigrationRig rig = new MigrationRig()) {
            breakAfterReady(rig);
            rig.destination.onReset = BROKEN;
            List<DeviceState> atResume = new ArrayList<>();
            rig.source.on(Arc.STOP_TO_RUNNING_P2P, () -> atResume.add(rig.destination.state));

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().phase()).contains(MigrationPhase.COMMIT);
            assertThat(atResume).containsExactly(DeviceState.STOP);
            assertThat(report.destinationState()).contains(DeviceState.STOP);
            assertThat(report.sourceState()).contains(DeviceState.RUNNING);
            assertThat(rig.sourceGuest.running).isTrue();
        }
    }

    @Test
    void shouldNotRunTheSourceBesideADestinationThatMayAct() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            breakAfterReady(rig);
            rig.destination.onReset = BROKEN;
            rig.destination.on(Arc.RUNNING_P2P_TO_STOP, () -> {
                if (rig.source.state == DeviceState.STOP_COPY) {
                    BROKEN.run();
                }
            });

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING_P2P);
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP_COPY);
            assertThat(rig.sourceGuest.running).isFalse();
            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::message)
                    .anyMatch(message -> message.contains("not started again") && message.contains("reset host2/vf1"));

            // What the report says helps, and so does stopping the destination, which still cannot be reset.
            rig.destination.on(Arc.RUNNING_P2P_TO_STOP, () -> {});
            rig.service.setState(MigrationRig.DESTINATION, DeviceState.STOP);
            assertThat(rig.destination.state).isEqualTo(DeviceState.STOP);
            assertThat(SaveAndRestoreTest.failureOf(
                                    () -> rig.service.setState(MigrationRig.DESTINATION, DeviceState.RUNNING))
                            .message())
                    .contains("the reset failed");
            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
        }
    }

    @Test
    void shouldNotRunTheSourceBesideADestinationThatMayActWhenTheServiceEnds() {
        try (MigrationRig rig = new MigrationRig()) {
            failBesideADestinationThatMayAct(rig);

            List<String> errors = LogCapture.errorsOf(Device.class, () -> rig.end(true));

            assertThat(rig.source.state).isEqualTo(DeviceState.STOP_COPY);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.source.resets).hasValue(0);
            assertThat(errors).singleElement().asString()
                    .contains("host1/vf1: its driver leaves", "stays in STOP_COPY", "reset host2/vf1");
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldLeaveAloneWhatAnEarlierServiceKeptStopped() {
        try (MigrationRig rig = new MigrationRig()) {
            failBesideADestinationThatMayAct(rig);
            rig.end(true);

            List<String> errors = LogCapture.errorsOf(Device.class, () -> rig.comeAndGoOnceMore());

            assertThat(rig.source.state).isEqualTo(DeviceState.STOP_COPY);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
            assertThat(errors).anyMatch(error -> error.contains("host1/vf1: its driver leaves, and it stays in"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldTakeASourceToRunningAgainOnceItsUserDid(boolean byReset) throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            failBesideADestinationThatMayAct(rig);
            if (byReset) {
                rig.service.reset(MigrationRig.SOURCE);
            } else {
                rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);
            }
            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP);

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
        }
    }

    static void failBesideADestinationThatMayAct(MigrationRig rig) {
        breakAfterReady(rig);
        rig.destination.onReset = BROKEN;
        // It has stopped once, to make room.
        rig.destination.once(Arc.RUNNING_P2P_TO_STOP, () -> rig.destination.on(Arc.RUNNING_P2P_TO_STOP, BROKEN));
        assertThat(rig.migrate().result()).isEqualTo(MigrationReport.Result.FAILED);
        assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING_P2P);
        assertThat(rig.source.state).isEqualTo(DeviceState.STOP_COPY);
    }

    /** The last look before the commit finds that the source does not answer. */
    private static void breakAfterReady(MigrationRig rig) {
        rig.destination.once(Arc.STOP_TO_RUNNING_P2P, () -> rig.source.onState = () -> {
            rig.source.onState = () -> {};
            BROKEN.run();
        });
    }

    @Test
    void shouldNotTouchTheSourceWhenTheDestinationFailsFirst() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.once(Arc.STOP_TO_RESUMING, BROKEN);

            rig.migrate();

            assertThat(rig.source.arcs).isEmpty();
            assertThat(rig.source.resets).hasValue(0);
        }
    }

    private static void assertFailed(MigrationReport report, String device) {
        assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
        Failure failure = report.failure().orElseThrow();
        assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
        assertThat(failure.device()).contains(device);
        assertThat(failure.errno()).contains(Errno.EIO);
        assertThat(failure.message()).contains("scripted");
        assertThat(failure.phase()).isPresent();
    }
}
