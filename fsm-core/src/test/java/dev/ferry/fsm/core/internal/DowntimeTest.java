// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.Timeouts;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done during the downtime, what is not, and when it ends; the clock stands still. */
class DowntimeTest {

    private static final Duration HOUR = Duration.ofHours(1);

    @Test
    void shouldStopTrackingOnlyAfterTheGuestRunsAgain() {
        try (LiveRig rig = new LiveRig(2)) {
            List<String> order = new CopyOnWriteArrayList<>();
            rig.intercept((device, call) -> {
                order.add(call);
                if (call.equals("tracker stop")) {
                    rig.clock.advance(HOUR);
                }
            });

            MigrationReport report = rig.migrate();

            assertThat(order.indexOf("tracker stop")).isGreaterThan(order.indexOf("resume"));
            assertThat(report.downtime()).isLessThan(HOUR);
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldGoOnWhenTrackingCannotBeStopped() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(0).tracker.interceptor = (device, call) -> {
                if (call.equals("tracker stop")) {
                    throw new DeviceException(Errno.EIO, "scripted");
                }
            };
            assertThat(rig.migrate().result()).isEqualTo(Result.COMPLETED);
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldAskAllTrackersAtTheSameTime() {
        int devices = 4;
        try (LiveRig rig = new LiveRig(devices)) {
            CyclicBarrier together = new CyclicBarrier(devices + 1);
            Set<String> met = ConcurrentHashMap.newKeySet();
            rig.intercept((device, call) -> {
                if (call.equals("tracker report") && !rig.sourceGuest.running && met.add(device)) {
                    LiveRig.meet(together);
                }
            });
            rig.sources.forEach(source -> source.device.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                int device = rig.sources.indexOf(source);
                rig.dma(device, device * LiveRig.PAGE, 50 + device);
            }));

            MigrationReport report = rig.migrate();

            assertThat(report.failure()).isEmpty();
            assertThat(met).hasSize(devices + 1);
            assertThat(report.memory().switchoverBytes()).isEqualTo((long) devices * LiveRig.PAGE);
            rig.assertDestinationOwns();
        }
    }

    @ParameterizedTest
    @EnumSource(Convergence.OnStall.class)
    void shouldJudgeAgainWhenARecordIsLostDuringTheDowntime(Convergence.OnStall onStall) {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(1).device.once(
                    Arc.PRE_COPY_P2P_TO_STOP_COPY, () -> rig.sources.get(1).tracker.loseRecordOnce = true);

            // All memory takes a second.
            MigrationReport report = rig.migrate(rig.request()
                    .withBandwidth(new Bandwidth(LiveRig.MEMORY))
                    .withConvergence(Convergence.DEFAULT.withOnStall(onStall)));

            assertThat(Decisions.messages(report, Decision.Kind.TRACKING_LOST))
                    .singleElement()
                    .asString()
                    .contains("host1/vf1");
            if (onStall == Convergence.OnStall.SWITCH_OVER) {
                assertThat(Decisions.kinds(report))
                        .containsSubsequence(Decision.Kind.TRACKING_LOST, Decision.Kind.FORCED);
                assertThat(report.memory().switchoverBytes()).isEqualTo(LiveRig.MEMORY);
                rig.assertDestinationOwns();
            } else {
                assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
                assertThat(report.failure().orElseThrow().phase()).contains(MigrationPhase.SWITCHOVER);
                assertThat(report.downtime()).as("it was paused").isLessThan(Duration.ofMillis(300));
                rig.assertSourceOwns();
            }
        }
    }

    @Test
    void shouldGoOnWhenARecordIsLostAndAllMemoryFitsIntoTheDowntime() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.once(
                    Arc.PRE_COPY_P2P_TO_STOP_COPY, () -> rig.sourceGuest.tracker.loseRecordOnce = true);

            MigrationReport report = rig.migrate(
                    rig.request().withBandwidth(new Bandwidth(LiveRig.MEMORY * 10L)));

            assertThat(report.failure()).isEmpty();
            assertThat(report.memory().switchoverBytes()).isEqualTo(LiveRig.MEMORY);
            assertThat(Decisions.kinds(report)).doesNotContain(Decision.Kind.FORCED);
        }
    }

    @Test
    void shouldNotEndTheDowntimeOfAGuestThatDoesNotStart() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.destinationGuest.interceptor = (name, call) -> {
                if (call.equals("resume")) {
                    throw new DeviceException(Errno.EIO, "scripted");
                }
            };
            rig.sources.get(0).device.once(Arc.STOP_COPY_TO_STOP, () -> rig.clock.advance(HOUR));

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().message()).contains("The downtime lasts until");
            assertThat(report.downtime()).isGreaterThanOrEqualTo(HOUR);
        }
    }

    @Test
    void shouldNotEndTheDowntimeOfAGuestThatRunsAtNeitherEnd() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.interceptor = (name, call) -> {
                if (call.equals("resume")) {
                    throw new DeviceException(Errno.EIO, "scripted");
                }
            };
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });
            rig.destinations.get(0).device.onReset = () -> rig.clock.advance(HOUR);

            assertThat(rig.migrate().downtime()).isGreaterThanOrEqualTo(HOUR);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCountTheWaitForADestinationAsItsLoad(boolean inTime) {
        try (LiveRig rig = new LiveRig(1)) {
            rig.intercept((device, call) -> {
                if (call.equals("write")) {
                    rig.clock.advance(Duration.ofMillis(1500));
                } else if (call.equals("read")) {
                    rig.clock.advance(Duration.ofMillis(20));
                }
            });
            Duration allowed = inTime ? HOUR : Duration.ofMillis(500);

            // Without memory, which goes beside the device and would see its clock.
            MigrationReport report = rig.migrate(MigrationRequest.of("host1/vf0", "host2/vf0")
                    .withPreCopy(false)
                    .withTimeouts(Timeouts.DEFAULT.withTotal(allowed)));

            assertThat(report.failure().isEmpty()).isEqualTo(inTime);
            // The device is asked once more whether that was all.
            long saving = inTime ? 40 : 20;
            for (List<DowntimeStep> steps : List.of(report.steps(), report.devices().get(0).steps())) {
                assertThat(steps).filteredOn(step -> step.step() != DowntimeStep.Step.ROLLBACK)
                        .extracting(step -> step.actual().toMillis())
                        .containsExactly(0L, saving, 0L, 1500L, 0L);
            }
        }
    }

    @Test
    void shouldTellWhenATimeoutWasSeenLateAndThatTheSourceRunsAgain() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.destinations.get(0).device.once(
                    Arc.RESUMING_TO_STOP, () -> rig.clock.advance(Duration.ofMillis(1757)));

            MigrationReport report = rig.migrate(
                    rig.request().withTimeouts(Timeouts.DEFAULT.withTotal(Duration.ofMillis(1500))));

            assertThat(report.failure().orElseThrow().message())
                    .contains("the 1500 ms allowed", "a call of a device or a guest that is under way is waited for")
                    .containsPattern("seen after 17[5-9][0-9] ms")
                    .containsPattern("The guest runs at the source again, after 17[5-9][0-9] ms of downtime.$");
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotCallATimeoutLateThatWasSeenAtOnce() {
        try (LiveRig rig = new LiveRig(1)) {
            Duration allowed = Duration.ofSeconds(7);
            rig.destinations.get(0).device.once(Arc.STOP_TO_RESUMING, () -> rig.clock.advance(allowed));

            assertThat(rig.migrate(rig.request().withTimeouts(Timeouts.DEFAULT.withTotal(allowed)))
                            .failure()
                            .orElseThrow()
                            .message())
                    .as("in SETUP, with the guest running")
                    .endsWith("the phase that is slow.");
        }
    }
}
