// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Everything that can fail before COMMIT, and what must be true afterwards. */
class MigrationFailureTest {

    private static final ScriptedDriver.Step BROKEN = () -> {
        throw new DeviceException(Errno.EIO, "scripted");
    };

    /** Each arc of each side in each kind of migration, taken from runs in which nothing fails. */
    static Stream<Arguments> arcs() {
        List<Arguments> cases = new ArrayList<>();
        MigrationRig.featureSets().forEach(features -> {
            for (boolean preCopy : new boolean[] {true, false}) {
                try (MigrationRig rig = new MigrationRig(features)) {
                    rig.migrate(rig.request().withPreCopy(preCopy));
                    rig.source.arcs.stream()
                            .filter(arc -> arc != Arc.STOP_COPY_TO_STOP)
                            .forEach(arc -> cases.add(Arguments.of(features, preCopy, true, arc)));
                    rig.destination.arcs.stream()
                            .filter(arc -> arc.to() != DeviceState.RUNNING)
                            .forEach(arc -> cases.add(Arguments.of(features, preCopy, false, arc)));
                }
            }
        });
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldRunOnTheSourceWhenAnArcFails(
            Set<MigrationFeature> features, boolean preCopy, boolean atSource, Arc arc) {
        try (MigrationRig rig = new MigrationRig(features)) {
            ScriptedDriver failing = atSource ? rig.source : rig.destination;
            failing.once(arc, BROKEN);

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy));

            assertFailed(report, failing.id);
            assertThat(report.failure().orElseThrow().following()).isEmpty();
            assertThat(report.sourceState()).contains(DeviceState.RUNNING);
            rig.assertSourceOwns();
            assertThat(rig.source.hasOpenSession()).isFalse();
            assertThat(rig.destination.hasOpenSession()).isFalse();
            assertUsableAgain(rig);
        }
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldResetADeviceThatGoesToError(Set<MigrationFeature> features, boolean preCopy, boolean atSource, Arc arc) {
        try (MigrationRig rig = new MigrationRig(features)) {
            ScriptedDriver failing = atSource ? rig.source : rig.destination;
            failing.once(arc, () -> {
                failing.state = DeviceState.ERROR;
                BROKEN.run();
            });

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy));

            assertFailed(report, failing.id);
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.sourceGuest.running).isTrue();
            rig.assertDestinationOwnsNothing();
            if (atSource) {
                assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
                assertThat(report.failure().orElseThrow().following())
                        .extracting(Failure::message)
                        .anyMatch(message -> message.contains("was reset") && message.contains("lost"));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldRunOnTheSourceWhenADriverThrowsWhatItShouldNot(
            Set<MigrationFeature> features, boolean preCopy, boolean atSource, Arc arc) {
        try (MigrationRig rig = new MigrationRig(features)) {
            ScriptedDriver failing = atSource ? rig.source : rig.destination;
            failing.once(arc, () -> {
                throw new NoClassDefFoundError("scripted");
            });

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy));

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.DEVICE_FAILED);
            rig.assertSourceOwns();
        }
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldRunOnTheSourceWhenADeviceIsResetFromElsewhere(
            Set<MigrationFeature> features, boolean preCopy, boolean atSource, Arc arc) {
        try (MigrationRig rig = new MigrationRig(features)) {
            ScriptedDriver reset = atSource ? rig.source : rig.destination;
            reset.once(arc, () -> {
                reset.reset();
                throw new DeviceException(Errno.EINVAL, "the arc does not start at RUNNING");
            });

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy));

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.sourceGuest.running).isTrue();
            rig.assertDestinationOwnsNothing();
        }
    }

    @Test
    void shouldNoticeAResetBetweenTwoArcs() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.once(Arc.RESUMING_TO_STOP, () -> rig.source.state = DeviceState.RUNNING);

            MigrationReport report = rig.migrate();

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(failure.phase()).contains(MigrationPhase.COMMIT);
            assertThat(failure.message()).contains("RUNNING where it should be STOP_COPY", "something else reset it");
            assertThat(rig.sourceGuest.running).isTrue();
            rig.assertDestinationOwnsNothing();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRunOnTheSourceWhenReadingFails(boolean preCopy) {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.onRead = BROKEN;

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy));

            assertFailed(report, MigrationRig.SOURCE);
            assertThat(report.failure().orElseThrow().phase())
                    .contains(preCopy ? MigrationPhase.PRE_COPY : MigrationPhase.SWITCHOVER);
            assertThat(report.downtime().isZero()).isEqualTo(preCopy);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldSayThatTheStreamIsRefusedWhenTheDestinationDoesNotTakeIt() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.onWrite = () -> {
                throw new dev.ferry.stream.StreamException(7, Errno.EINVAL, "this is no record.");
            };

            Failure failure = rig.migrate().failure().orElseThrow();

            assertThat(failure.code()).isEqualTo(FailureCode.STREAM_REFUSED);
            assertThat(failure.device()).contains(MigrationRig.DESTINATION);
            assertThat(failure.errno()).contains(Errno.EINVAL);
            assertThat(failure.message()).contains("at byte 7 of the stream");
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldSayThatTheStreamIsRefusedWhenItIsIncomplete() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.text = "something else";

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.STREAM_REFUSED);
            assertThat(report.failure().orElseThrow().phase()).contains(MigrationPhase.LOAD);
            assertThat(rig.source.text).isEqualTo("something else");
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.sourceGuest.running).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(ScriptedGuest.Call.class)
    void shouldRunOnTheSourceWhenAGuestFails(ScriptedGuest.Call call) {
        try (MigrationRig rig = new MigrationRig()) {
            boolean destination = call == ScriptedGuest.Call.WRITE || call == ScriptedGuest.Call.LOAD_CONFIG;
            boolean atCommitted = call == ScriptedGuest.Call.RESUME;
            ScriptedGuest failing = destination || atCommitted ? rig.destinationGuest : rig.sourceGuest;
            failing.failing = call;

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.GUEST_FAILED);
            if (atCommitted) {
                assertThat(report.failure().orElseThrow().message()).contains("owns the guest", "resume its guest");
                assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
                assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING);
            } else {
                rig.assertSourceOwns();
            }
        }
    }

    @Test
    void shouldReportAGuestThatDoesNotResumeAtTheSource() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.sourceGuest.failing = ScriptedGuest.Call.RESUME;
            rig.destination.once(Arc.RESUMING_TO_STOP, BROKEN);

            MigrationReport report = rig.migrate();

            assertFailed(report, MigrationRig.DESTINATION);
            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::code)
                    .containsExactly(FailureCode.GUEST_FAILED);
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void shouldRefuseDifferentMemoryBeforeThePause() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destinationGuest.ranges = List.of(new IovaRange(0, 4096));

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.GUEST_FAILED);
            assertThat(report.failure().orElseThrow().phase()).contains(MigrationPhase.SETUP);
            assertThat(report.downtime()).isZero();
            assertThat(rig.destination.resets).hasValue(0);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldRefuseAnOversizedDeviceConfiguration() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.sourceGuest.configBytes = 64 * 1024 + 1;

            assertThat(rig.migrate().failure().orElseThrow().message()).contains("at most 65536 bytes");
            rig.assertSourceOwns();
        }
    }

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

    @Test
    void shouldKeepWhatTheDestinationLoadedWhenItDoesNotStart() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, BROKEN);

            MigrationReport report = rig.migrate();

            Failure failure = report.failure().orElseThrow();
            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(failure.phase()).contains(MigrationPhase.START);
            assertThat(failure.device()).contains(MigrationRig.DESTINATION);
            assertThat(failure.message()).contains("owns the guest", "left in RUNNING_P2P", "take it to RUNNING");
            assertThat(rig.destination.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING_P2P);
            assertThat(rig.destination.resets).hasValue(0);
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
            assertThat(rig.sourceGuest.running).isFalse();
        }
    }

    @Test
    void shouldCompleteWhenTheSourceCannotBeReleased() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.once(Arc.STOP_COPY_TO_STOP, BROKEN);

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
            assertThat(report.sourceState()).contains(DeviceState.STOP_COPY);
            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRunOnTheSourceWhenTheTimeIsOver(boolean preCopy) {
        try (MigrationRig rig = new MigrationRig()) {
            Duration allowed = Duration.ofMillis(300);
            long end = System.nanoTime() + allowed.plusMillis(50).toNanos();
            // A device that never gets to the end of its initial data, or that takes long for one step.
            rig.source.onRead = () -> MigrationRig.await("the time to be over", () -> System.nanoTime() - end > 0);

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy).withTimeout(allowed));

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(report.failure().orElseThrow().message()).contains("300 ms");
            rig.assertSourceOwns();
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

    private static void assertUsableAgain(MigrationRig rig) {
        assertThat(rig.migrate().failure()).isEmpty();
        rig.assertDestinationOwns();
    }
}
