// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.app.internal.UnderWayTest.Running;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EndingTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Failure NOT_RESET =
            Failure.of(FailureCode.DEVICE_FAILED, "b", "b: it could not be reset.");

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final CountDownLatch runs = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final ExecutorService session = Executors.newSingleThreadExecutor();
    /** What is under way, look after look; nothing when there is none left. */
    private final Queue<List<Migration>> looks = new ArrayDeque<>();

    @AfterEach
    void endTheSession() {
        mayEnd.countDown();
        session.shutdownNow();
    }

    private Ending ending(Duration unwoundWithin) {
        EndingOutput errors = new EndingOutput(err);
        PrintStream out = new PrintStream(OutputStream.nullOutputStream());
        ProcessStreams streams = new ProcessStreams(
                InputStream.nullInputStream(), out, new PrintStream(errors, true), Optional::empty, errors);
        return new Ending(
                streams, () -> Optional.ofNullable(looks.poll()).orElse(List.of()), unwoundWithin);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static Running cancelled(String id, Failure... following) {
        MigrationReport report = UnderWayTest.report(id, Result.CANCELLED, DeviceState.RUNNING, following);
        return new Running(id, true, Optional.of(report));
    }

    /** A command that ends when it was interrupted and may. */
    private Future<Integer> command(Ending ending) throws InterruptedException {
        Interrupts interrupts = new Interrupts(() -> {});
        Future<Integer> status = session.submit(() -> {
            try {
                return ending.after(() -> {
                    Thread.interrupted();
                    ending.of(interrupts);
                    interrupts.begin(Thread.currentThread()::interrupt, true);
                    runs.countDown();
                    try {
                        assertThat(new CountDownLatch(1).await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
                    } catch (InterruptedException e) {
                        awaitLeave();
                    }
                    interrupts.ended();
                    return 1;
                });
            } finally {
                ending.done();
            }
        });
        assertThat(runs.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return status;
    }

    private void awaitLeave() {
        try {
            assertThat(mayEnd.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldTellOfThoseInTheBackgroundAndOfTheOneThatACommandWaitedFor() throws Exception {
        Ending ending = ending(LONG);
        List<Migration> both = List.of(cancelled("m1", NOT_RESET), cancelled("m2"));
        looks.add(both);
        looks.add(both);
        Future<Integer> status = command(ending);
        mayEnd.countDown();
        ending.now();
        assertThat(err()).isEqualTo("ferry: interrupted: m1 is CANCELLED, a is RUNNING;"
                + " also: b: it could not be reset; m2 is CANCELLED, a is RUNNING\n");
        assertThat(status.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(1);
    }

    @Test
    void shouldTellOfMigrationsWhenACommandDoesNotEnd() throws Exception {
        Ending ending = ending(Duration.ofMillis(1));
        looks.add(List.of(cancelled("m1"), new Running("m2", true, Optional.empty())));
        command(ending);
        ending.now();
        assertThat(err()).isEqualTo("ferry: interrupted, and what ran has not ended; m1 is CANCELLED, a is RUNNING;"
                + " m2 has not ended and is in SWITCHOVER; look at the states of its devices before you use them\n");
    }

    @Test
    void shouldCancelAndTellOfAMigrationThatBeganMeanwhile() throws Exception {
        Ending ending = ending(LONG);
        looks.add(List.of());
        looks.add(List.of(cancelled("m1")));
        command(ending);
        mayEnd.countDown();
        ending.now();
        assertThat(err()).isEqualTo("ferry: interrupted: m1 is CANCELLED, a is RUNNING\n");
    }

    @Test
    void shouldStopWhatRunsInTheBackgroundWhenTheCommandsFailUnexpectedly() {
        Ending ending = ending(LONG);
        looks.add(List.of(cancelled("m1")));
        assertThatThrownBy(() -> ending.after(() -> {
                    throw new IllegalStateException("scripted");
                }))
                .hasMessage("scripted");
        assertThat(err()).isEqualTo("""
                ferry: m1 is still under way and was asked to stop
                ferry: m1 is CANCELLED, a is RUNNING
                """);
    }

    @Test
    void shouldFailWhenWhatRanInTheBackgroundIsNotInOrder() {
        Ending ending = ending(LONG);
        looks.add(List.of(cancelled("m1", NOT_RESET)));
        assertThat(ending.after(() -> 0)).isEqualTo(1);
        assertThat(err()).endsWith("ferry: also: b: it could not be reset.\n");
    }

    @Test
    void shouldRunNothingAfterItWasAskedToEnd() {
        Ending ending = ending(Duration.ofMillis(1));
        ending.now();
        assertThat(ending.after(() -> {
                    throw new AssertionError("runs");
                }))
                .isEqualTo(1);
    }
}
