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

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldRunOnTheSourceWhenTheTimeIsOver(boolean preCopy) {
        try (MigrationRig rig = new MigrationRig()) {
            Duration allowed = Duration.ofMinutes(5);
            // A device that never gets to the end of its initial data, or that takes long for one step.
            rig.source.onRead = () -> rig.clock.pause(allowed.toNanos());

            MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy).withTimeout(allowed));

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(report.failure().orElseThrow().message()).contains("300000 ms");
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
