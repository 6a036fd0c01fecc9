// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.Timeouts;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The clocks of a migration: when they start, and what happens when one is over. */
class TimeoutsTest {

    private static final int PAGE = LiveRig.PAGE;

    @ParameterizedTest
    @ValueSource(strings = {"total", "phase"})
    void shouldEndWithATimeoutWhoseClockBeganWithWhatItMeasures(String which) {
        try (LiveRig rig = new LiveRig(1)) {
            Duration allowed = Duration.ofSeconds(7);
            Timeouts timeouts = which.equals("total")
                    ? Timeouts.DEFAULT.withTotal(allowed)
                    : Timeouts.DEFAULT.withPhase(MigrationPhase.SETUP, allowed);
            rig.destinations.get(0).device.once(
                    Arc.STOP_TO_RESUMING, () -> rig.clock.advance(allowed));

            MigrationReport report = rig.migrate(rig.request().withTimeouts(timeouts));

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(failure.message())
                    .isEqualTo(which.equals("total")
                            ? "The migration was not ready to commit within the 7000 ms allowed: "
                                    + "give it more time, or look in its report for the phase that is slow."
                            : "The phase SETUP did not end within the 7000 ms allowed for it: give it more time.");
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
            rig.sources.get(0).device.announceAndGiveNothing();
            MigrationReport report = rig.migrate(
                    rig.request().withTimeouts(Timeouts.DEFAULT.withNoProgress(Duration.ofSeconds(2))));

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(failure.phase()).contains(MigrationPhase.PRE_COPY);
            assertThat(failure.message())
                    .isEqualTo("Nothing was carried and no device moved for 2000 ms: "
                            + "look whether the devices still answer, or allow more time without progress.");
            rig.assertSourceOwns();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"changed data of another device", "memory that is written again"})
    void shouldEndWhenOnlyWhatComesAgainAndAgainIsCarried(String which) {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(0).device.announceAndGiveNothing();
            if (which.startsWith("memory")) {
                rig.writeFast();
            } else {
                rig.sources.get(1).device.endlessDirtyBytes = 1;
            }

            MigrationReport report = rig.migrate(
                    rig.request().withTimeouts(Timeouts.DEFAULT.withNoProgress(Duration.ofSeconds(2))));

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.TIMEOUT);
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

    @ParameterizedTest
    @ValueSource(strings = {"RUNNING_TO_PRE_COPY", "STOP_TO_RESUMING", "PRE_COPY_P2P_TO_STOP_COPY"})
    void shouldCountEachDeviceThatMovesAsProgressWhenThereAreMoreOfThemThanThreads(String slow) {
        try (LiveRig rig = new LiveRig(4)) {
            beSlow(rig, slow);

            assertThat(rig.migrate().failure()).isEmpty();
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldCountEachResetAsProgress() {
        try (LiveRig rig = new LiveRig(4)) {
            rig.migrate();
            beSlow(rig, "reset");

            MigrationReport back = rig.migrate(MigrationRequest.of(rig.request().devices().stream()
                    .map(pair -> new DevicePair(pair.destination(), pair.source()))
                    .toList()));

            assertThat(back.failure()).isEmpty();
            assertThat(rig.sources).allMatch(source -> source.device.resets.get() == 1);
        }
    }

    /** From now on a call takes 20 s, and two threads do the work on four devices. */
    private static void beSlow(LiveRig rig, String slow) {
        rig.values.threads = 1;
        rig.service.modified(rig.values);
        rig.intercept((device, call) -> {
            if (call.equals(slow)) {
                rig.clock.advance(Duration.ofSeconds(20));
            }
        });
    }

    @ParameterizedTest
    @CsvSource({
        "profile, CONNECT, true",
        "STOP_TO_RESUMING, SETUP, true",
        "RUNNING_TO_PRE_COPY, PRE_COPY, true",
        "stopCopySize, SETUP, false",
        "STOP_TO_STOP_COPY, SWITCHOVER, false"
    })
    void shouldDoNoMoreOfWhatIsToDoForEachDeviceWhenItsTimeIsOver(
            String slow, MigrationPhase phase, boolean preCopy) {
        try (LiveRig rig = new LiveRig(4)) {
            rig.values.threads = 1;
            rig.service.modified(rig.values);
            AtomicInteger done = new AtomicInteger();
            rig.intercept((device, call) -> {
                if (call.equals(slow)) {
                    done.incrementAndGet();
                    rig.clock.advance(Duration.ofHours(1));
                }
            });

            Failure failure = rig.migrate(rig.request().withPreCopy(preCopy)).failure().orElseThrow();

            assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            assertThat(failure.phase()).contains(phase);
            assertThat(done).as("at most one by each of two threads").hasValueBetween(1, 2);
            rig.assertSourceOwns();
        }
    }
}
