// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is told of a migration while it runs and afterwards. */
class ProgressAndReportTest {

    @Test
    void shouldTellProgressThatIsCompleteOnlyAtTheEnd() {
        try (LiveRig rig = new LiveRig(2)) {
            List<MigrationEvent> events = new ArrayList<>();
            MigrationReport report = MigrationRig.report(rig.service.start(
                    rig.request().withBandwidth(new Bandwidth(LiveRig.MEMORY / 4)), events::add));
            List<MigrationEvent.Progress> told = events.stream()
                    .filter(MigrationEvent.Progress.class::isInstance)
                    .map(MigrationEvent.Progress.class::cast)
                    .toList();

            assertThat(told.size()).isGreaterThan(2);
            assertThat(told.subList(0, told.size() - 1)).allMatch(each -> each.progress().percent() <= 99);
            assertThat(told.get(told.size() - 1).progress().percent()).isEqualTo(100);
            assertThat(events.get(events.size() - 1)).isInstanceOf(MigrationEvent.Ended.class);
            assertThat(told.get(told.size() - 1).progress().total().bytes())
                    .isEqualTo(report.memoryBytes() + report.stateBytes());
            assertThat(told)
                    .filteredOn(each -> each.progress().phase() == MigrationPhase.PRE_COPY)
                    .filteredOn(each -> each.progress().memory().bytesPerSecond() > 0)
                    .allMatch(each -> each.progress().timeLeft().isPresent());
            assertThat(told).allMatch(each -> each.progress().devices().size() == 2);
        }
    }

    @Test
    void shouldExplainTheDowntimeByStepAndKeepTheReport() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.intercept((device, call) -> {
                switch (call) {
                    case "pause" -> rig.clock.advance(Duration.ofMillis(1));
                    case "PRE_COPY_TO_PRE_COPY_P2P" -> rig.clock.advance(Duration.ofMillis(2));
                    case "PRE_COPY_P2P_TO_STOP_COPY" -> rig.clock.advance(Duration.ofMillis(4));
                    case "RESUMING_TO_STOP" -> rig.clock.advance(Duration.ofMillis(8));
                    case "RUNNING_P2P_TO_RUNNING" -> rig.clock.advance(Duration.ofMillis(16));
                    default -> {
                        // Takes no time.
                    }
                }
            });
            MigrationReport first = rig.migrate();

            assertThat(first.downtime()).isEqualTo(Duration.ofMillis(31));
            assertThat(first.steps())
                    .extracting(step -> step.actual().toMillis())
                    .containsExactly(3L, 4L, 0L, 8L, 16L);
            assertThat(first.steps()).filteredOn(step -> step.planned().isEmpty())
                    .as("no device like this was migrated before, and none was saved or loaded in this migration")
                    .extracting(DowntimeStep::step)
                    .containsExactly(DowntimeStep.Step.SAVE, DowntimeStep.Step.LOAD);
            assertThat(first.devices().get(0).steps())
                    .extracting(step -> step.actual().toMillis())
                    .as("without the guest")
                    .containsExactly(2L, 4L, 0L, 8L, 16L);
            assertThat(first.bufferBytes()).isPositive();
            assertThat(rig.service.report(first.migration())).contains(first);
            assertThat(rig.service.reports()).containsExactly(first);
            assertThat(rig.service.report("m99")).isEmpty();

            rig.sourceGuest.running = false;
            MigrationPlan plan = rig.service.plan(MigrationRequest.of("host2/vf0", "host1/vf0"));
            assertThat(plan.plannedDowntime()).contains(Duration.ofMillis(30));
        }
    }

    @Test
    void shouldForgetTheOldestReport() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.values.reports = 2;
            rig.service.modified(rig.values);
            for (int i = 0; i < 3; i++) {
                rig.migrate(rig.request().withDryRun(true));
            }
            assertThat(rig.service.reports()).extracting(MigrationReport::migration).containsExactly("m2", "m3");
        }
    }

    @Test
    void shouldCancelById() {
        try (LiveRig rig = new LiveRig(1)) {
            assertThat(rig.service.cancel("m1")).isFalse();
            MigrationReport report = MigrationRig.report(rig.service.start(rig.request(), event -> {
                if (event instanceof MigrationEvent.PhaseStarted started && started.phase() == MigrationPhase.LOAD) {
                    assertThat(rig.service.cancel("m1")).isTrue();
                }
            }));
            assertThat(report.result()).isEqualTo(Result.CANCELLED);
            assertThat(rig.service.cancel("m1")).isFalse();
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldTellTheTimeLeftWithTheStepsToComeOrThatItIsUnknown() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.intercept((device, call) -> {
                if (call.equals("RESUMING_TO_STOP")) {
                    rig.clock.advance(Duration.ofMillis(80));
                } else if (call.equals("RUNNING_P2P_TO_RUNNING")) {
                    rig.clock.advance(Duration.ofMillis(16));
                }
            });
            assertThat(leftBeforeLoad(rig, 0)).as("no device like this was migrated before").isEmpty();
            Duration left = Duration.ofMillis(96);
            assertThat(leftBeforeLoad(rig, 1)).contains(new MigrationProgress.Range(left, Optional.of(left)));
        }
    }

    /** What is told when all bytes are carried and nothing is loaded. */
    private static Optional<MigrationProgress.Range> leftBeforeLoad(LiveRig rig, int device) {
        List<MigrationProgress> told = new ArrayList<>();
        MigrationRequest request = MigrationRequest.of("host1/vf" + device, "host2/vf" + device);
        MigrationRig.report(rig.service.start(request, event -> {
            if (event instanceof MigrationEvent.Progress now) {
                told.add(now.progress());
            }
        }));
        return told.stream()
                .filter(progress -> progress.phase() == MigrationPhase.SWITCHOVER)
                .reduce((first, second) -> second)
                .orElseThrow()
                .timeLeft();
    }

    @Test
    void shouldCountWhatTheLastLookFoundAsLeftDuringTheDowntime() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                rig.sourceGuest.store(5 * LiveRig.PAGE, 77);
                rig.sourceGuest.store(9 * LiveRig.PAGE, 78);
            });
            List<Long> left = new CopyOnWriteArrayList<>();
            AtomicInteger pages = new AtomicInteger();
            rig.intercept((device, call) -> {
                if (!call.equals("view") || !device.equals("source guest") || rig.sourceGuest.running) {
                    return;
                }
                if (pages.getAndIncrement() == 0) {
                    rig.clock.advance(Duration.ofMillis(150));
                } else {
                    MigrationRig.await("progress to be told", () -> !left.isEmpty());
                }
            });
            MigrationReport report = MigrationRig.report(rig.service.start(rig.request(), event -> {
                if (event instanceof MigrationEvent.Progress now
                        && now.progress().phase() == MigrationPhase.SWITCHOVER) {
                    left.add(now.progress().memory().remainingBytes());
                }
            }));

            assertThat(report.failure()).isEmpty();
            assertThat(left).first().as("told between two pages").isIn(1L * LiveRig.PAGE, 2L * LiveRig.PAGE);
            assertThat(left).last().isEqualTo(0L);
        }
    }

    @Test
    void shouldTellAfterARoundHowMuchOfADeviceIsLeftToCarry() {
        try (LiveRig rig = new LiveRig(1)) {
            List<MigrationProgress.Device> told = new ArrayList<>();
            MigrationRig.report(rig.service.start(rig.request(), event -> {
                if (event instanceof MigrationEvent.Progress now
                        && now.progress().phase() == MigrationPhase.PRE_COPY) {
                    told.add(now.progress().devices().get(0));
                }
            }));
            assertThat(told.get(told.size() - 1).transfer().remainingBytes())
                    .as("what it would save if it were stopped now")
                    .isEqualTo(LiveRig.text(0).length());
        }
    }
}
