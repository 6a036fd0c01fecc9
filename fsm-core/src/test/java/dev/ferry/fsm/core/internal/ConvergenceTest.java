// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When to switch over, and what happens when that never is; the clock stands still but for what a test lets pass. */
class ConvergenceTest {

    private static final int PAGE = LiveRig.PAGE;

    @Test
    void shouldFailWithoutPausingWhenTheGuestWritesFasterThanTheLimit() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.writeFast();
            MigrationReport report = rig.migrate(rig.slowRequest());

            Failure failure = report.failure().orElseThrow();
            assertThat(report.result()).isEqualTo(Result.FAILED);
            assertThat(failure.code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(failure.phase()).contains(MigrationPhase.PRE_COPY);
            assertThat(failure.message()).contains("was not paused", "300 ms allowed");
            assertThat(report.downtime()).isZero();
            assertThat(report.steps()).isEmpty();
            assertThat(report.memory().rounds()).as("the first round and three without a gain").isEqualTo(4);
            assertThat(Decisions.messages(report, Decision.Kind.STALL)).hasSize(1);
            rig.assertSourceOwns();
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldSwitchOverAllTheSameWhenTheRequestSaysSo() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.writeFast();
            MigrationRequest request = rig.slowRequest()
                    .withConvergence(Convergence.DEFAULT.withOnStall(Convergence.OnStall.SWITCH_OVER));

            MigrationReport report = rig.migrate(request);

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            rig.assertDestinationOwns();
            assertThat(Decisions.kinds(report)).containsSubsequence(Decision.Kind.STALL, Decision.Kind.FORCED);
            assertThat(report.downtime()).isGreaterThan(Duration.ofMillis(300));
            DowntimeStep transfer = step(report.steps(), DowntimeStep.Step.TRANSFER);
            assertThat(transfer.planned().orElseThrow().toMillis())
                    .as("planned beside the downtime, nearly all of which it is, whichever threads carry the bytes")
                    .isBetween(report.downtime().toMillis() / 2, report.downtime().toMillis() * 2);
        }
    }

    @Test
    void shouldRaiseTheAllowedDowntimeStepByStepUpToTheLimit() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.writeFast();
            MigrationReport report = rig.migrate(rig.slowRequest()
                    .withConvergence(Convergence.DEFAULT
                            .withRampLimit(Duration.ofMillis(500))
                            .withStallRounds(1)));

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(Decisions.messages(report, Decision.Kind.RAMP))
                    .satisfiesExactly(
                            first -> assertThat(first).contains("from 300 ms to 450 ms"),
                            second -> assertThat(second).contains("from 450 ms to 500 ms"));
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldSwitchOverWithinTheRampWhenThatIsEnough() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.writeFast();
            MigrationReport report = rig.migrate(
                    rig.slowRequest().withConvergence(Convergence.DEFAULT.withRampLimit(Duration.ofSeconds(2))));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(Decisions.kinds(report)).contains(Decision.Kind.RAMP).doesNotContain(Decision.Kind.STALL);
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
            assertThat(Decisions.messages(report, Decision.Kind.SWITCHOVER))
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

    /** Without memory, which goes beside the device and would see the clock of its reads. */
    private static final MigrationRequest ALONE = MigrationRequest.of("host1/vf0", "host2/vf0");

    /** Such devices were never migrated before; they take 50 ms to stop, and 10 ms to read or write. */
    private static MigrationReport migrateFirst(LiveRig rig, MigrationRequest request) {
        rig.intercept((device, call) -> {
            switch (call) {
                case "RUNNING_P2P_TO_STOP" -> rig.clock.advance(Duration.ofMillis(50));
                case "precopyInfo" -> rig.sources.get(0).device.preCopyBytes =
                        rig.sources.get(0).answers.size() == 1 ? 6 : 3;
                case "read", "write" -> rig.clock.advance(Duration.ofMillis(10));
                default -> {
                    // Takes no time.
                }
            }
        });
        return rig.migrate(request);
    }

    @Test
    void shouldPredictFromWhatTheFirstMigrationOfAKindShows() {
        try (LiveRig rig = new LiveRig(1)) {
            MigrationReport report = migrateFirst(rig, ALONE.withDryRun(true));

            assertThat(report.result()).isEqualTo(Result.PASSED);
            assertThat(Decisions.messages(report, Decision.Kind.SWITCHOVER))
                    .singleElement()
                    .asString()
                    .contains("A downtime of at least 100 ms is predicted", "not all of SAVE and TRANSFER and LOAD,");
        }
    }

    @Test
    void shouldTakeLaterReadsAndWritesOfPreCopyForThoseOfTheDowntime() {
        try (LiveRig rig = new LiveRig(1)) {
            // Initial data are missing after the first round, and three more bytes come in the second one.
            LiveDriver source = rig.sources.get(0);
            source.answers.add(new PrecopyInfo(6, 0, false));
            source.answers.add(new PrecopyInfo(3, 0, false));
            MigrationReport report = migrateFirst(rig, ALONE.withDryRun(true));

            assertThat(Decisions.messages(report, Decision.Kind.SWITCHOVER))
                    .singleElement()
                    .asString()
                    .contains("not all of LOAD,");
        }
    }

    @Test
    void shouldKeepToTheAllowedDowntimeInTheFirstMigrationOfAKind() {
        try (LiveRig rig = new LiveRig(1)) {
            MigrationReport report = migrateFirst(
                    rig, ALONE.withConvergence(Convergence.DEFAULT.withMaxDowntime(Duration.ofMillis(99))));

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(failure.message())
                    .contains("at least 100 ms of downtime are predicted and 99 ms allowed")
                    .contains("--max-downtime", "--bandwidth", "--on-stall switchover");
            assertThat(report.downtime()).isZero();
            assertThat(rig.sources.get(0).device.state).isEqualTo(DeviceState.RUNNING);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldKeepDeviceStateToTheBandwidthLimit(boolean preCopy) {
        try (LiveRig rig = new LiveRig(1)) {
            int bytes = LiveRig.text(0).length();
            MigrationRequest alone = MigrationRequest.of("host1/vf0", "host2/vf0");
            rig.sources.get(0).readLimit = 1;
            // Convergence is not what this is about.
            MigrationReport report = rig.migrate(alone.withPreCopy(preCopy)
                    .withConvergence(Convergence.DEFAULT.withOnStall(Convergence.OnStall.SWITCH_OVER))
                    .withBandwidth(new Bandwidth(bytes / 4)));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(report.total()).isGreaterThan(Duration.ofSeconds(3));
        }
    }

    /** Whether the whole of the state still comes in the downtime. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldPlanWithWhatTheDeviceWouldGiveNow(boolean whole) {
        try (LiveRig rig = new LiveRig(1)) {
            int bytes = LiveRig.text(0).length();
            rig.sources.get(0).readLimit = 1;
            rig.sources.get(0).device.incremental = !whole;
            rig.sources.get(0).device.preCopyBytes = bytes - 2;
            MigrationReport report = rig.migrate(ALONE.withBandwidth(new Bandwidth(bytes)));

            if (whole) {
                assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            } else {
                assertThat(report.failure()).isEmpty();
                assertThat(Decisions.messages(report, Decision.Kind.SWITCHOVER))
                        .singleElement()
                        .asString()
                        .contains(": 2 bytes left");
            }
        }
    }

    @Test
    void shouldPlanWithWhatIsNotTheWorkOfTheDevices() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.intercept((device, call) -> {
                switch (call) {
                    case "pause" -> rig.clock.advance(Duration.ofMillis(100));
                    case "loadDeviceConfig" -> rig.clock.advance(Duration.ofMillis(30));
                    case "resume" -> rig.clock.advance(Duration.ofMillis(40));
                    default -> {
                        // Takes no time.
                    }
                }
            });
            MigrationReport report = rig.migrate();
            assertThat(report.downtime()).isGreaterThanOrEqualTo(Duration.ofMillis(200));
            assertThat(rig.service.plan(rig.request()).plannedDowntime().orElseThrow())
                    .isBetween(Duration.ofMillis(200), Duration.ofMillis(300));
            assertThat(rig.service
                            .plan(MigrationRequest.of("host1/vf0", "host2/vf0"))
                            .plannedDowntime()
                            .orElseThrow())
                    .as("without a guest there is none to pause")
                    .isLessThan(Duration.ofMillis(100));
        }
    }

    @Test
    void shouldPlanWithTheLastLookAndTheConfigurations() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.intercept((device, call) -> {
                switch (call) {
                    case "saveDeviceConfig" -> rig.clock.advance(Duration.ofMillis(50));
                    case "tracker report" -> {
                        if (device.equals("source guest")) {
                            rig.clock.advance(Duration.ofMillis(30));
                        }
                    }
                    default -> {
                        // Takes no time.
                    }
                }
            });
            for (int i = 0; i < 2; i++) {
                rig.sourceGuest.running = true;
                MigrationReport report = rig.migrate(MigrationRequest.of("host1/vf" + i, "host2/vf" + i)
                        .withGuests(rig.sourceGuest, rig.destinationGuest));
                assertThat(report.failure()).isEmpty();
                assertThat(report.downtime()).isGreaterThanOrEqualTo(Duration.ofMillis(80));
                if (i > 0) {
                    // The clock also passes for devices that save meanwhile.
                    assertThat(step(report.steps(), DowntimeStep.Step.TRANSFER).planned().orElseThrow())
                            .isBetween(Duration.ofMillis(80), Duration.ofMillis(140));
                }
            }
        }
    }

    @Test
    void shouldNotRefuseForEverBecauseOfOneSlowRun() {
        try (LiveRig rig = new LiveRig(2)) {
            MigrationRequest one = MigrationRequest.of("host1/vf0", "host2/vf0");
            MigrationRequest other = MigrationRequest.of("host1/vf1", "host2/vf1");
            rig.destinations.get(0).device.once(
                    Arc.RESUMING_TO_STOP, () -> rig.clock.advance(Duration.ofSeconds(1)));
            assertThat(rig.migrate(one).result()).isEqualTo(Result.COMPLETED);

            MigrationReport refused = rig.migrate(other);
            assertThat(refused.failure().orElseThrow().message()).contains("1000 ms of downtime are predicted");
            assertThat(rig.migrate(other).result()).isEqualTo(Result.COMPLETED);
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
            assertThat(Decisions.kinds(report)).endsWith(Decision.Kind.SWITCHOVER, Decision.Kind.DRY_RUN);
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
            rig.writeFast();
            MigrationReport report = rig.migrate(rig.slowRequest().withDryRun(true));

            assertThat(report.result()).isEqualTo(Result.FAILED);
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            rig.assertSourceOwns();
        }
    }

    private static DowntimeStep step(List<DowntimeStep> steps, DowntimeStep.Step step) {
        return steps.stream().filter(each -> each.step() == step).findFirst().orElseThrow();
    }
}
