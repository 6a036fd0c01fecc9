// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.table.FeatureTransitionTable;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Whatever goes wrong inside, a migration ends, has a report, and gives its turn on. */
class JobsTest {

    private static final Settings ONE_AT_A_TIME =
            new Settings(Duration.ofSeconds(10), 4096, 0, 0, 4096, 1, 1, 1, 1, 100);
    private static final MigrationRequest REQUEST = MigrationRequest.of("nowhere", "elsewhere");

    private static MigrationReport report(Migration migration) throws Exception {
        return migration.result().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    private static Operations operations(Jobs jobs) {
        return new Operations(new DeviceRegistry(new FeatureTransitionTable()), jobs);
    }

    private static void assertNobodyIsHeldUp(Jobs jobs) throws Exception {
        assertThat(jobs.migrations()).isEmpty();
        Migration next = operations(jobs).start(REQUEST, MigrationListener.NONE, ONE_AT_A_TIME);
        assertThat(report(next).failure().orElseThrow().code()).isEqualTo(FailureCode.DEVICE_NOT_FOUND);
        jobs.stop(Duration.ofSeconds(20));
    }

    @Test
    void shouldEndWithAReportWhenTheMachineHasNoMoreThreads() throws Exception {
        AtomicInteger left = new AtomicInteger();
        ThreadFactory none = task -> {
            if (left.getAndDecrement() <= 0) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return new Thread(task);
        };
        Jobs jobs = new Jobs(ONE_AT_A_TIME, TimeSource.SYSTEM, none);
        List<MigrationEvent> events = new ArrayList<>();

        MigrationReport report = report(operations(jobs).start(REQUEST, events::add, ONE_AT_A_TIME));

        assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
        assertThat(report.failure().orElseThrow().message()).contains("lacks a resource", "native thread");
        assertThat(events).hasSize(1).first().isInstanceOf(MigrationEvent.Ended.class);
        assertThat(jobs.report(report.migration())).contains(report);
        left.set(1);
        assertNobodyIsHeldUp(jobs);
    }

    @Test
    void shouldEndThoseThatWaitWhenTheirTurnComesWithoutAThread() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger left = new AtomicInteger(1);
        Jobs jobs = new Jobs(ONE_AT_A_TIME, TimeSource.SYSTEM, task -> {
            if (left.getAndDecrement() <= 0) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return new Thread(task);
        });
        Migration first = operations(jobs).start(REQUEST, event -> await(goOn), ONE_AT_A_TIME);
        List<Migration> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(operations(jobs).start(REQUEST, MigrationListener.NONE, ONE_AT_A_TIME));
        }
        goOn.countDown();

        assertThat(report(first).failure().orElseThrow().code()).isEqualTo(FailureCode.DEVICE_NOT_FOUND);
        for (Migration migration : waiting) {
            assertThat(report(migration).failure().orElseThrow().message()).contains("native thread");
        }
        left.set(1);
        assertNobodyIsHeldUp(jobs);
    }

    @Test
    void shouldEndWithAReportWhenItBreaksOff() throws Exception {
        AtomicInteger broken = new AtomicInteger(1);
        TimeSource clock = new TimeSource() {
            @Override
            public long nanos() {
                // Asked first when a migration begins, on its own thread.
                if (Thread.currentThread().getName().endsWith("-m1") && broken.getAndDecrement() > 0) {
                    throw new StackOverflowError("the clock is broken");
                }
                return System.nanoTime();
            }

            @Override
            public void pause(long nanos) {
                throw new UnsupportedOperationException();
            }
        };
        Jobs jobs = new Jobs(ONE_AT_A_TIME, clock);

        MigrationReport report = report(operations(jobs).start(REQUEST, MigrationListener.NONE, ONE_AT_A_TIME));

        assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
        assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.INTERNAL);
        assertThat(report.failure().orElseThrow().message()).contains("the clock is broken");
        assertThat(jobs.report("m1")).contains(report);
        assertNobodyIsHeldUp(jobs);
    }

    @Test
    void shouldEndWithAReportWhenItsListenerFails() throws Exception {
        Jobs jobs = new Jobs(ONE_AT_A_TIME, TimeSource.SYSTEM);
        CountDownLatch goOn = new CountDownLatch(1);
        Migration first = operations(jobs).start(
                REQUEST,
                event -> {
                    await(goOn);
                    throw new AssertionError("the listener is broken");
                },
                ONE_AT_A_TIME);
        Migration waiting = operations(jobs).start(REQUEST, MigrationListener.NONE, ONE_AT_A_TIME);

        goOn.countDown();

        assertThat(report(first).result()).isEqualTo(MigrationReport.Result.FAILED);
        assertThat(report(waiting).failure().orElseThrow().code()).isEqualTo(FailureCode.DEVICE_NOT_FOUND);
        assertNobodyIsHeldUp(jobs);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
