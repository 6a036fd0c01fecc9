// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

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

    static DowntimeStep step(List<DowntimeStep> steps, DowntimeStep.Step step) {
        return steps.stream().filter(each -> each.step() == step).findFirst().orElseThrow();
    }
}
