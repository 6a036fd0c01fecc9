// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What downtime is predicted, and from which earlier calls and migrations. */
class PredictedDowntimeTest {

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
                    .endsWith("allow more downtime or bandwidth, or let it switch over when it stalls.");
            assertThat(report.downtime()).isZero();
            assertThat(rig.sources.get(0).device.state).isEqualTo(DeviceState.RUNNING);
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
                    assertThat(ConvergenceTest.step(report.steps(), DowntimeStep.Step.TRANSFER).planned().orElseThrow())
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
}
