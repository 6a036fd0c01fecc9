// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several devices of one guest come back together. */
class ManyDevicesRollbackTest {

    private static final Set<MigrationFeature> WITHOUT_PRE_COPY =
            EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P);

    @Test
    void shouldRollBackInTwoPassesAsWell() {
        try (LiveRig rig = new LiveRig(3)) {
            List<String> seen = Collections.synchronizedList(new ArrayList<>());
            rig.destinations.get(2).device.once(Arc.RESUMING_TO_STOP, () -> {
                rig.intercept((device, call) -> {
                    if (device.startsWith("host1") || call.equals("resume")) {
                        seen.add(call);
                    }
                });
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().device()).contains("host2/vf2");
            assertThat(seen.lastIndexOf("STOP_TO_RUNNING_P2P"))
                    .isPositive()
                    .isLessThan(seen.indexOf("RUNNING_P2P_TO_RUNNING"));
            assertThat(seen.lastIndexOf("RUNNING_P2P_TO_RUNNING")).isLessThan(seen.indexOf("resume"));
            rig.assertSourceOwns();
        }
    }

    static Stream<Arguments> arcs() {
        List<Arguments> cases = new ArrayList<>();
        for (Set<MigrationFeature> features : List.of(MigrationRig.ALL, WITHOUT_PRE_COPY)) {
            try (LiveRig rig = new LiveRig(2, features, LiveRig.MEMORY)) {
                rig.migrate();
                rig.sources.get(1).device.arcs.stream()
                        .filter(arc -> arc != Arc.STOP_COPY_TO_STOP)
                        .forEach(arc -> cases.add(Arguments.of(features, true, arc)));
                rig.destinations.get(1).device.arcs.stream()
                        .filter(arc -> arc.to() != DeviceState.RUNNING)
                        .forEach(arc -> cases.add(Arguments.of(features, false, arc)));
            }
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldRunAllOnTheSourceWhenAnArcOfOneFails(Set<MigrationFeature> features, boolean atSource, Arc arc) {
        try (LiveRig rig = new LiveRig(3, features, LiveRig.MEMORY)) {
            LiveDriver failing = (atSource ? rig.sources : rig.destinations).get(1);
            failing.device.once(arc, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.FAILED);
            Failure failure = report.failure().orElseThrow();
            assertThat(failure.device()).contains(failing.device.id);
            assertThat(failure.errno()).contains(Errno.EIO);
            assertThat(failure.following()).isEmpty();
            rig.assertSourceOwns();
            rig.assertNoSessions();
            assertThat(rig.migrate().failure()).isEmpty();
            rig.assertDestinationOwns();
        }
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldRunAllOnTheSourceWhenTheGuestResetsOneDevice(
            Set<MigrationFeature> features, boolean atSource, Arc arc) {
        try (LiveRig rig = new LiveRig(3, features, LiveRig.MEMORY)) {
            LiveDriver reset = (atSource ? rig.sources : rig.destinations).get(1);
            reset.device.once(arc, () -> {
                reset.device.reset();
                throw new DeviceException(Errno.EINVAL, "it is RUNNING");
            });

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.FAILED);
            rig.assertSourceRuns();
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldKeepTheGuestPausedWhenOneSourceCannotBeBroughtBack() {
        try (LiveRig rig = new LiveRig(3)) {
            rig.destinations.get(1).device.once(Arc.RESUMING_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });
            LiveDriver dead = rig.sources.get(2);
            dead.device.on(Arc.STOP_COPY_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "dead");
            });
            dead.device.onReset = () -> {
                throw new DeviceException(Errno.EIO, "dead");
            };

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().device()).contains("host2/vf1");
            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::message)
                    .anyMatch(message -> message.contains("left paused") && message.contains("host1/vf2"));
            assertThat(rig.sourceGuest.running).isFalse();
            assertThat(rig.destinationGuest.running).isFalse();
        }
    }

    /** The guest is paused meanwhile, so no device waits for another one. */
    @ParameterizedTest
    @ValueSource(strings = {"STOP_COPY_TO_STOP", "RUNNING_P2P_TO_RUNNING", "reset"})
    void shouldBringBackAllDevicesAtTheSameTime(String call) {
        int devices = 8;
        try (LiveRig rig = new LiveRig(devices)) {
            Set<String> met = failLastAndMeet(rig, Arc.RESUMING_TO_STOP, call, devices);
            assertThat(rig.migrate().result()).isEqualTo(Result.FAILED);
            assertThat(met).hasSize(devices);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldResetAllDestinationsAtTheSameTimeBeforeTheSourcesRunWhenTheyMayAct() {
        int devices = 8;
        try (LiveRig rig = new LiveRig(devices)) {
            Set<String> met = failLastAndMeet(rig, Arc.STOP_TO_RUNNING_P2P, "reset", devices);
            List<String> order = Collections.synchronizedList(new ArrayList<>());
            rig.destinations.forEach(destination -> destination.device.onReset = () -> order.add("reset"));
            rig.sources.forEach(source -> source.device.on(Arc.STOP_TO_RUNNING_P2P, () -> order.add("runs")));
            assertThat(rig.migrate().result()).isEqualTo(Result.FAILED);
            assertThat(met).hasSize(devices);
            assertThat(order.lastIndexOf("reset")).isEqualTo(devices - 1);
            assertThat(order).hasSize(2 * devices);
            rig.assertSourceOwns();
        }
    }

    /** The last destination fails; from then on each device that makes a call waits for all others to make it. */
    private static Set<String> failLastAndMeet(LiveRig rig, Arc failing, String call, int devices) {
        CyclicBarrier together = new CyclicBarrier(devices);
        Set<String> met = ConcurrentHashMap.newKeySet();
        rig.destinations.get(devices - 1).device.once(failing, () -> {
            rig.intercept((device, made) -> {
                if (made.equals(call) && met.add(device)) {
                    LiveRig.meet(together);
                }
            });
            throw new DeviceException(Errno.EIO, "scripted");
        });
        return met;
    }

    @Test
    void shouldResetAllDevicesThatDoNotComeBackAtTheSameTime() {
        int devices = 3;
        try (LiveRig rig = new LiveRig(devices)) {
            CyclicBarrier together = new CyclicBarrier(devices);
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });
            for (LiveDriver source : rig.sources) {
                source.device.on(Arc.STOP_COPY_TO_STOP, () -> {
                    throw new DeviceException(Errno.EIO, "scripted");
                });
                source.device.onReset = LiveRig.once(() -> LiveRig.meet(together))::run;
            }

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::message)
                    .filteredOn(message -> message.contains("was reset"))
                    .hasSize(devices);
            rig.assertSourceRuns();
        }
    }

    @Test
    void shouldExplainTheDowntimeOfASwitchoverThatWasBrokenOff() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.once(
                    Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> rig.clock.advance(Duration.ofMillis(2)));
            rig.sources.get(0).device.once(
                    Arc.PRE_COPY_P2P_TO_STOP_COPY, () -> rig.clock.advance(Duration.ofMillis(4)));
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                rig.clock.advance(Duration.ofMillis(8));
                throw new DeviceException(Errno.EIO, "scripted");
            });
            rig.sources.get(0).device.once(
                    Arc.RUNNING_P2P_TO_RUNNING, () -> rig.clock.advance(Duration.ofMillis(16)));

            MigrationReport report = rig.migrate();

            assertThat(report.downtime()).isEqualTo(Duration.ofMillis(30));
            assertThat(report.steps())
                    .extracting(step -> step.step() + " " + step.actual().toMillis())
                    .containsExactly("STOP 2", "SAVE 4", "TRANSFER 0", "LOAD 8", "START 0", "ROLLBACK 16");
        }
    }
}
