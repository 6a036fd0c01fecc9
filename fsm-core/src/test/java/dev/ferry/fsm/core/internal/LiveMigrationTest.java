// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.Timeouts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory in rounds, and the decision when to switch over; the clock stands still but for what a test lets pass. */
class LiveMigrationTest {

    private static final int PAGE = LiveRig.PAGE;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCarryMemoryWhileTheGuestRunsAndOnlyWhatWasWrittenAgainDuringTheDowntime(boolean mapped) {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.mapped = mapped;
            rig.sources.get(0).device.once(dev.ferry.fsm.Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                rig.sourceGuest.store(5 * PAGE, 77);
                rig.dma(0, 9 * PAGE + 1, 78);
            });

            MigrationReport report = rig.migrate();

            assertThat(report.failure()).isEmpty();
            rig.assertDestinationOwns();
            rig.assertNoSessions();
            assertThat(rig.destinationGuest.memory[5 * PAGE]).isEqualTo((byte) 77);
            assertThat(rig.destinationGuest.memory[9 * PAGE + 1]).isEqualTo((byte) 78);
            assertThat(report.memory())
                    .isEqualTo(new MigrationReport.Memory(LiveRig.MEMORY, LiveRig.MEMORY, 2 * PAGE, 1));
            assertThat(rig.sourceGuest.reads == 0).isEqualTo(mapped);
            assertThat(rig.destinationGuest.configurations)
                    .containsEntry("host2/vf0", "config of host1/vf0");
        }
    }

    @Test
    void shouldCarryAllMemoryDuringTheDowntimeWhenADeviceCannotTrack() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(1).tracked = false;

            MigrationReport report = rig.migrate();

            rig.assertDestinationOwns();
            assertThat(report.memory()).isEqualTo(new MigrationReport.Memory(LiveRig.MEMORY, 0, LiveRig.MEMORY, 0));
            assertThat(messages(report, Decision.Kind.TRACKING))
                    .singleElement()
                    .asString()
                    .contains("All 262144 bytes", "host1/vf1 cannot tell which pages it writes");
            assertThat(rig.sourceGuest.tracker.starts).isZero();
        }
    }

    @Test
    void shouldSayBeforeTheStartHowMemoryIsCarriedAndWhatItCosts() {
        try (LiveRig rig = new LiveRig(2)) {
            MigrationPlan plan = rig.service.plan(rig.request());
            assertThat(plan.findings()).isEmpty();
            assertThat(plan.memory().tracked()).isTrue();
            assertThat(plan.memory().bytes()).isEqualTo(LiveRig.MEMORY);
            assertThat(plan.memory().pageBytes()).isEqualTo(PAGE);
            assertThat(plan.memory().bitmapBytes()).isEqualTo(8);
            assertThat(plan.memory().explanation()).contains("host1/vf1 by a bit set of host1/vf1");
            assertThat(plan.plannedDowntime()).as("nothing to go by").isEmpty();
            assertThat(plan.devices()).allSatisfy(device -> {
                assertThat(device.preCopy()).isTrue();
                assertThat(device.stateBytes()).hasValue(LiveRig.text(0).length());
                assertThat(device.tracker()).isPresent();
            });

            rig.sources.get(0).tracked = false;
            MigrationPlan untracked = rig.service.plan(
                    rig.request().withBandwidth(new Bandwidth(LiveRig.MEMORY)).withPreCopy(true));
            assertThat(untracked.memory().tracked()).isFalse();
            assertThat(untracked.memory().explanation()).contains("host1/vf0 cannot tell");
            assertThat(untracked.plannedDowntime().orElseThrow())
                    .as("all memory at the limit")
                    .isBetween(Duration.ofMillis(999), Duration.ofMillis(1001));
            assertThat(rig.sources.get(0).device.arcs).isEmpty();
        }
    }

    @Test
    void shouldNotTakeMoreMemoryForTheBitmapThanConfigured() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.values.bitmapMib = 1;
            rig.service.modified(rig.values);
            rig.sourceGuest.ranges = List.of(new IovaRange(0, 64L << 30));
            assertThat(rig.service.plan(rig.request()).memory().explanation())
                    .contains("would take 2097152 bytes of the 1048576 allowed", "bitmap.mib");
        }
    }

    @Test
    void shouldTakeEveryPageForWrittenWhenATrackerLosesItsRecord() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.tracker.beforeReport = once(() -> {
                rig.sourceGuest.store(3 * PAGE, 99);
                rig.sourceGuest.tracker.loseRecordOnce = true;
            });

            MigrationReport report = rig.migrate();

            rig.assertDestinationOwns();
            assertThat(messages(report, Decision.Kind.TRACKING_LOST)).hasSize(1);
            assertThat(report.memoryBytes()).isEqualTo(2L * LiveRig.MEMORY);
        }
    }

    @Test
    void shouldFailWithoutPausingWhenTheGuestWritesFasterThanTheLimit() {
        try (LiveRig rig = new LiveRig(1)) {
            writeFast(rig);
            MigrationReport report = rig.migrate(slow(rig));

            Failure failure = report.failure().orElseThrow();
            assertThat(report.result()).isEqualTo(Result.FAILED);
            assertThat(failure.code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(failure.phase()).contains(MigrationPhase.PRE_COPY);
            assertThat(failure.message()).contains("was not paused", "300 ms allowed");
            assertThat(report.downtime()).isZero();
            assertThat(report.steps()).isEmpty();
            assertThat(report.memory().rounds()).as("the first round and three without a gain").isEqualTo(4);
            assertThat(messages(report, Decision.Kind.STALL)).hasSize(1);
            rig.assertSourceOwns();
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldSwitchOverAllTheSameWhenTheRequestSaysSo() {
        try (LiveRig rig = new LiveRig(1)) {
            writeFast(rig);
            MigrationRequest request = slow(rig)
                    .withConvergence(Convergence.DEFAULT.withOnStall(Convergence.OnStall.SWITCH_OVER));

            MigrationReport report = rig.migrate(request);

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            rig.assertDestinationOwns();
            assertThat(kinds(report)).containsSubsequence(Decision.Kind.STALL, Decision.Kind.FORCED);
            assertThat(report.downtime()).isGreaterThan(Duration.ofMillis(300));
            DowntimeStep transfer = step(report.steps(), DowntimeStep.Step.TRANSFER);
            assertThat(transfer.planned().orElseThrow().toMillis())
                    .as("planned beside the downtime, nearly all of which it is, on whichever threads the bytes are carried")
                    .isBetween(report.downtime().toMillis() / 2, report.downtime().toMillis() * 2);
        }
    }

    @Test
    void shouldRaiseTheAllowedDowntimeStepByStepUpToTheLimit() {
        try (LiveRig rig = new LiveRig(1)) {
            writeFast(rig);
            MigrationReport report = rig.migrate(slow(rig)
                    .withConvergence(Convergence.DEFAULT
                            .withRampLimit(Duration.ofMillis(500))
                            .withStallRounds(1)));

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(messages(report, Decision.Kind.RAMP))
                    .satisfiesExactly(
                            first -> assertThat(first).contains("from 300 ms to 450 ms"),
                            second -> assertThat(second).contains("from 450 ms to 500 ms"));
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldSwitchOverWithinTheRampWhenThatIsEnough() {
        try (LiveRig rig = new LiveRig(1)) {
            writeFast(rig);
            MigrationReport report = rig.migrate(
                    slow(rig).withConvergence(Convergence.DEFAULT.withRampLimit(Duration.ofSeconds(2))));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(kinds(report)).contains(Decision.Kind.RAMP).doesNotContain(Decision.Kind.STALL);
            assertThat(report.downtime()).isLessThan(Duration.ofSeconds(2));
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldIterateUntilTheDowntimeIsShortEnough() {
        try (LiveRig rig = new LiveRig(1)) {
            // The guest writes half of what is carried in the same time, so each round is half as long.
            AtomicInteger pages = new AtomicInteger(32);
            rig.sourceGuest.tracker.beforeReport = () -> {
                for (int page = 0; page < pages.get(); page++) {
                    rig.sourceGuest.store(page * PAGE, page);
                }
                pages.updateAndGet(now -> now / 2);
            };
            MigrationReport report =
                    rig.migrate(rig.request().withBandwidth(new Bandwidth(16L * PAGE)));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(report.memory().rounds()).isEqualTo(4);
            assertThat(report.downtime()).isLessThanOrEqualTo(Duration.ofMillis(300));
            assertThat(messages(report, Decision.Kind.SWITCHOVER))
                    .singleElement()
                    .asString()
                    .contains("300 ms are allowed");
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldKeepToTheBandwidthLimit() {
        try (LiveRig rig = new LiveRig(1)) {
            MigrationReport report = rig.migrate(rig.request().withBandwidth(new Bandwidth(LiveRig.MEMORY)));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(report.total()).isBetween(Duration.ofMillis(880), Duration.ofMillis(1100));
        }
    }

    @Test
    void shouldDisturbNobodyInADryRun() {
        try (LiveRig rig = new LiveRig(3)) {
            List<Boolean> paused = new ArrayList<>();
            rig.sourceGuest.interceptor = (name, call) -> paused.add(call.equals("pause"));

            MigrationReport report = rig.migrate(rig.request().withDryRun(true));

            assertThat(report.result()).isEqualTo(Result.PASSED);
            assertThat(report.dryRun()).isTrue();
            assertThat(report.failure()).isEmpty();
            assertThat(report.downtime()).isZero();
            assertThat(kinds(report)).endsWith(Decision.Kind.SWITCHOVER, Decision.Kind.DRY_RUN);
            assertThat(report.memory().preCopyBytes()).isEqualTo(LiveRig.MEMORY);
            assertThat(paused).doesNotContain(true);
            rig.assertSourceOwns();
            rig.assertNoSessions();
            assertThat(rig.migrate().result()).isEqualTo(Result.COMPLETED);
        }
    }

    @Test
    void shouldSayInADryRunThatItWouldNotConverge() {
        try (LiveRig rig = new LiveRig(1)) {
            writeFast(rig);
            MigrationReport report = rig.migrate(slow(rig).withDryRun(true));

            assertThat(report.result()).isEqualTo(Result.FAILED);
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldSwitchOverOnlyWhenTheDestinationHasLoadedTheInitialData() {
        try (LiveRig rig = new LiveRig(2)) {
            LiveDriver late = rig.sources.get(1);
            late.readLimit = 1;
            List<DeviceState> atPause = new ArrayList<>();
            List<MigrationEvent> events = new ArrayList<>();
            rig.sourceGuest.interceptor = (name, call) -> {
                if (call.equals("pause")) {
                    atPause.addAll(rig.destinations.stream().map(driver -> driver.device.state).toList());
                }
            };
            MigrationReport report = MigrationRig.report(rig.service.start(rig.request(), events::add));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(atPause).containsExactly(DeviceState.RESUMING, DeviceState.RESUMING);
            assertThat(messages(report, Decision.Kind.ACKNOWLEDGED))
                    .anyMatch(message -> message.contains("host2/vf0 has loaded"))
                    .anyMatch(message -> message.contains("host2/vf1 has loaded"));
            assertThat(kinds(report).lastIndexOf(Decision.Kind.ACKNOWLEDGED))
                    .isLessThan(kinds(report).indexOf(Decision.Kind.SWITCHOVER));
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldAskForAnotherAcknowledgementAfterAReinitialization() {
        try (LiveRig rig = new LiveRig(1)) {
            LiveDriver driver = rig.sources.get(0);
            // Its memory needs a second round, in which the device announces new initial data, not read to their end.
            writeFast(rig);
            driver.answers.add(new PrecopyInfo(3, 0, false));
            driver.answers.add(new PrecopyInfo(10_000, 0, true));
            driver.answers.add(new PrecopyInfo(5, 0, false));
            driver.answers.add(new PrecopyInfo(0, 0, false));
            MigrationReport report = rig.migrate(slow(rig)
                    .withConvergence(Convergence.DEFAULT.withOnStall(Convergence.OnStall.SWITCH_OVER)));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(kinds(report))
                    .containsSubsequence(
                            Decision.Kind.ACKNOWLEDGED,
                            Decision.Kind.REINITIALIZED,
                            Decision.Kind.ACKNOWLEDGED,
                            Decision.Kind.FORCED);
        }
    }

    @Test
    void shouldNotWaitForEverForInitialData() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.preCopyBytes = 0;
            rig.sources.get(0).device.endlessInitialBytes = 5;

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(messages(report, Decision.Kind.FORCED)).singleElement().asString().contains("initial data");
            assertThat(report.total()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(6));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"total", "phase"})
    void shouldEndWithATimeoutWhoseClockBeganWithWhatItMeasures(String which) {
        try (LiveRig rig = new LiveRig(1)) {
            Duration allowed = Duration.ofSeconds(7);
            Timeouts timeouts = which.equals("total")
                    ? Timeouts.DEFAULT.withTotal(allowed)
                    : Timeouts.DEFAULT.withPhase(MigrationPhase.SETUP, allowed);
            rig.destinations.get(0).device.once(
                    dev.ferry.fsm.Arc.STOP_TO_RESUMING, () -> rig.clock.advance(allowed));

            MigrationReport report = rig.migrate(rig.request().withTimeouts(timeouts));

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(failure.message()).contains("7000 ms");
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotCountTimeBeforeThePhaseBegins() {
        try (LiveRig rig = new LiveRig(1)) {
            Duration allowed = Duration.ofSeconds(7);
            MigrationRequest request = rig.request()
                    .withTimeouts(Timeouts.DEFAULT.withNoProgress(allowed).withPhase(MigrationPhase.SETUP, allowed));
            MigrationReport report = MigrationRig.report(rig.service.start(request, event -> {
                if (event instanceof MigrationEvent.PhaseStarted now && now.phase() == MigrationPhase.CONNECT) {
                    rig.clock.advance(Duration.ofMinutes(1));
                }
            }));
            assertThat(report.failure()).isEmpty();
        }
    }

    @Test
    void shouldEndWhenNothingMovesForTooLong() {
        try (LiveRig rig = new LiveRig(1)) {
            // It announces initial data and gives none.
            rig.sources.get(0).device.preCopyBytes = 0;
            rig.sources.get(0).device.endlessInitialBytes = 5;
            MigrationReport report = rig.migrate(
                    rig.request().withTimeouts(Timeouts.DEFAULT.withNoProgress(Duration.ofSeconds(2))));

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(failure.phase()).contains(MigrationPhase.PRE_COPY);
            assertThat(failure.message()).contains("Nothing was carried", "2000 ms");
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotCountTimeWithoutProgressWhileSomethingIsCarried() {
        try (LiveRig rig = new LiveRig(1)) {
            MigrationRequest request = rig.request()
                    .withBandwidth(new Bandwidth(4 * PAGE))
                    .withTimeouts(Timeouts.DEFAULT.withNoProgress(Duration.ofSeconds(2)));

            assertThat(rig.migrate(request).result()).isEqualTo(Result.COMPLETED);
        }
    }

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
                    .filteredOn(each -> each.progress().memory().bytesPerSecond() > 0)
                    .allMatch(each -> each.progress().timeLeft().isPresent());
            assertThat(told).allMatch(each -> each.progress().devices().size() == 2);
        }
    }

    @Test
    void shouldTellBeforeAndAfterEveryTransition() {
        try (LiveRig rig = new LiveRig(2)) {
            List<MigrationEvent> events = new ArrayList<>();
            MigrationRig.report(rig.service.start(rig.request(), events::add));

            for (LiveDriver driver : rig.drivers()) {
                List<dev.ferry.fsm.Arc> starting = events.stream()
                        .filter(MigrationEvent.ArcStarting.class::isInstance)
                        .map(MigrationEvent.ArcStarting.class::cast)
                        .filter(event -> event.device().equals(driver.device.id))
                        .map(MigrationEvent.ArcStarting::arc)
                        .toList();
                assertThat(starting).containsExactlyElementsOf(driver.device.arcs);
            }
            assertThat(events.stream().filter(MigrationEvent.PhaseStarted.class::isInstance).count())
                    .isEqualTo(events.stream().filter(MigrationEvent.PhaseEnded.class::isInstance).count());
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
            assertThat(first.steps()).filteredOn(step -> step.step() != DowntimeStep.Step.TRANSFER)
                    .as("no device like this was migrated before")
                    .allMatch(step -> step.planned().isEmpty());
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
    void shouldCarryMemoryInRoundsAlsoWhenNoDeviceHasPreCopy() {
        try (LiveRig rig = new LiveRig(
                2, EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P), LiveRig.MEMORY)) {
            MigrationReport report = rig.migrate();

            rig.assertDestinationOwns();
            assertThat(report.memory().preCopyBytes()).isEqualTo(LiveRig.MEMORY);
            assertThat(report.memory().switchoverBytes()).isZero();
            assertThat(messages(report, Decision.Kind.PRE_COPY))
                    .singleElement()
                    .asString()
                    .startsWith("0 of 2 devices");
        }
    }

    @Test
    void shouldKeepToTheAllowedDowntimeAlsoWhenNothingCanBeCarriedBefore() {
        try (LiveRig rig = new LiveRig(1, EnumSet.of(MigrationFeature.STOP_COPY), LiveRig.MEMORY)) {
            rig.sourceGuest.tracked = false;
            MigrationRequest request = rig.request().withBandwidth(new Bandwidth(LiveRig.MEMORY));

            MigrationReport refused = rig.migrate(request);

            assertThat(refused.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(refused.downtime()).isZero();
            rig.assertSourceOwns();
            assertThat(rig.migrate(request.withPreCopy(false)).result())
                    .as("without pre-copy it is asked for")
                    .isEqualTo(Result.COMPLETED);
        }
    }

    @Test
    void shouldNotRefuseForEverBecauseOfOneSlowRun() {
        try (LiveRig rig = new LiveRig(2)) {
            MigrationRequest one = MigrationRequest.of("host1/vf0", "host2/vf0");
            MigrationRequest other = MigrationRequest.of("host1/vf1", "host2/vf1");
            rig.destinations.get(0).device.once(
                    dev.ferry.fsm.Arc.RESUMING_TO_STOP, () -> rig.clock.advance(Duration.ofSeconds(1)));
            assertThat(rig.migrate(one).result()).isEqualTo(Result.COMPLETED);

            MigrationReport refused = rig.migrate(other);
            assertThat(refused.failure().orElseThrow().message()).contains("1000 ms of downtime are predicted");
            assertThat(rig.migrate(other).result()).isEqualTo(Result.COMPLETED);
        }
    }

    /** Each look finds half of the memory written. */
    private static void writeFast(LiveRig rig) {
        rig.sourceGuest.tracker.beforeReport = () -> {
            for (int page = 0; page < 32; page++) {
                rig.sourceGuest.store(page * PAGE + 7, page);
            }
        };
    }

    /** At this rate half of the memory takes one second. */
    private static MigrationRequest slow(LiveRig rig) {
        return rig.request().withBandwidth(new Bandwidth(32L * PAGE));
    }

    private static Runnable once(Runnable action) {
        AtomicInteger calls = new AtomicInteger();
        return () -> {
            if (calls.getAndIncrement() == 0) {
                action.run();
            }
        };
    }

    private static List<Decision.Kind> kinds(MigrationReport report) {
        return report.decisions().stream().map(Decision::kind).toList();
    }

    private static List<String> messages(MigrationReport report, Decision.Kind kind) {
        return report.decisions().stream()
                .filter(decision -> decision.kind() == kind)
                .map(Decision::message)
                .toList();
    }

    private static DowntimeStep step(List<DowntimeStep> steps, DowntimeStep.Step step) {
        return steps.stream().filter(each -> each.step() == step).findFirst().orElseThrow();
    }
}
