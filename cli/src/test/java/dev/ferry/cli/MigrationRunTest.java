// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MigrationRunTest {

    private final Endless migration = new Endless();
    private final List<String> told = new ArrayList<>();

    private static final class Endless implements Migration {
        /** Happens when somebody begins to wait for the report. */
        private Runnable onWait = () -> {};
        private final CompletableFuture<MigrationReport> report = new CompletableFuture<>() {
            @Override
            public MigrationReport get(long limit, TimeUnit unit)
                    throws InterruptedException, ExecutionException, TimeoutException {
                onWait.run();
                return super.get(limit, unit);
            }
        };
        private volatile boolean cancelled;
        /** Its turn comes after so many looks; when it is there, it has ended, where it ends. */
        private final AtomicInteger looks = new AtomicInteger();
        private MigrationReport ended;
        private MigrationReport atCancel;
        private boolean tooLate;

        @Override
        public String id() {
            return "m1";
        }

        @Override
        public MigrationRequest request() {
            return MigrationRequest.of("a", "b");
        }

        @Override
        public MigrationPhase phase() {
            return MigrationPhase.SWITCHOVER;
        }

        @Override
        public MigrationProgress progress() {
            boolean waiting = looks.getAndDecrement() > 0;
            if (!waiting && ended != null) {
                report.complete(ended);
            }
            return new MigrationProgress(
                    phase(),
                    waiting,
                    0,
                    MigrationProgress.Transfer.NONE,
                    MigrationProgress.Transfer.NONE,
                    List.of(),
                    0,
                    Duration.ofMillis(300),
                    Optional.empty(),
                    Optional.empty());
        }

        @Override
        public boolean cancel() {
            cancelled = true;
            if (atCancel != null) {
                report.complete(atCancel);
            }
            return !tooLate;
        }

        @Override
        public CompletionStage<MigrationReport> result() {
            return report;
        }
    }

    private static MigrationReport report(MigrationReport.Result result) {
        return new MigrationReport(
                "m1", result, false, Instant.EPOCH, Duration.ZERO, Duration.ZERO, List.of(),
                List.of(), List.of(new MigrationReport.Device(
                        "a", "b", Optional.of(DeviceState.RUNNING), Optional.empty(), 0, 0, List.of())),
                MigrationReport.Memory.NONE, List.of(), 0, List.of(),
                result == MigrationReport.Result.COMPLETED
                        ? Optional.empty()
                        : Optional.of(Failure.of(FailureCode.CANCELLED, "it was cancelled")));
    }

    @Test
    void shouldSayWhereTheSourceIsWhenAnInterruptionPutItBack() {
        migration.atCancel = report(MigrationReport.Result.CANCELLED);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1), told::add))
                .hasMessage("interrupted: m1 is CANCELLED, a is RUNNING");
    }

    @Test
    void shouldSayWhatFailedWhenAnInterruptionDidNotPutAllBack() {
        MigrationReport whole = report(MigrationReport.Result.CANCELLED);
        Failure left = Failure.of(FailureCode.DEVICE_FAILED, "b", "b: it could not be reset.");
        migration.atCancel = new MigrationReport(
                whole.migration(), whole.result(), false, whole.started(), whole.total(), whole.downtime(),
                whole.steps(), whole.phases(), whole.devices(), whole.memory(), whole.decisions(), 0, List.of(),
                Optional.of(new Failure(
                        FailureCode.CANCELLED, Optional.empty(), Optional.empty(), Optional.empty(),
                        "it was cancelled", List.of(left))));
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1), told::add))
                .hasMessage("interrupted: m1 is CANCELLED, a is RUNNING; also: b: it could not be reset.")
                .satisfies(error -> assertThat(Errors.sentences(error)).containsExactly(error.getMessage()))
                .satisfies(error -> assertThat(Errors.document(error).getAsJsonArray("following")).hasSize(1));
    }

    @Test
    void shouldCancelAndSayWhereItIsWhenItDoesNotEnd() {
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMillis(10), told::add))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageStartingWith("migration m1 did not end within 0 s, is in SWITCHOVER and was asked to stop");
        assertThat(migration.cancelled).isTrue();
    }

    @Test
    void shouldNotSayThatItWasAskedToStopWhenItIsTooLate() {
        migration.tooLate = true;
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMillis(10), told::add))
                .hasMessage("migration m1 did not end within 0 s, is in SWITCHOVER and can no longer be stopped; "
                        + "look at both devices with `devices`");
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1), told::add))
                .hasMessage("interrupted: m1 can no longer be stopped and is still in SWITCHOVER; "
                        + "`devices` shows where a is left");
    }

    @Test
    void shouldNotCountTheTimeBeforeItsTurn() throws Exception {
        migration.looks.set(3);
        migration.ended = report(MigrationReport.Result.COMPLETED);

        assertThat(MigrationRun.await(migration, Duration.ofMillis(10), told::add)).isSameAs(migration.ended);

        assertThat(migration.cancelled).isFalse();
        assertThat(told).containsExactly("m1 waits for its turn; `jobs` shows those before it");
    }

    @Test
    void shouldCancelWhenItIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1), told::add))
                .isInstanceOf(InterruptedException.class)
                .satisfies(error -> assertThat(Errors.document(error).get("phase").getAsString())
                        .isEqualTo("SWITCHOVER"))
                .extracting(Errors::sentence)
                .isEqualTo("interrupted: m1 was asked to stop and is still in SWITCHOVER; "
                        + "`devices` shows where a is left");
        assertThat(migration.cancelled).isTrue();
    }

    @Test
    void shouldReturnOnlyWhenThingsWerePutBackAfterAnInterruption() {
        AtomicBoolean back = new AtomicBoolean();
        // It ends for those who wait for it after the cancel, and for nobody else.
        migration.onWait = () -> {
            if (migration.cancelled) {
                back.set(true);
                migration.report.cancel(false);
            }
        };
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1), told::add))
                .isInstanceOf(InterruptedException.class);
        assertThat(back).isTrue();
    }
}
