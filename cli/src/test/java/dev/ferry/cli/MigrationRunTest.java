// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class MigrationRunTest {

    private final Endless migration = new Endless();

    private static final class Endless implements Migration {
        private final CompletableFuture<MigrationReport> report = new CompletableFuture<>();
        private final CountDownLatch told = new CountDownLatch(1);
        private volatile boolean cancelled;

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
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean cancel() {
            cancelled = true;
            told.countDown();
            return true;
        }

        @Override
        public CompletionStage<MigrationReport> result() {
            return report.minimalCompletionStage();
        }
    }

    @Test
    void shouldCancelAndSayWhereItIsWhenItDoesNotEnd() {
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMillis(10)))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageStartingWith("migration m1 did not end within 0 s, is in SWITCHOVER and was told to stop");
        assertThat(migration.cancelled).isTrue();
    }

    @Test
    void shouldCancelWhenItIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1)))
                .isInstanceOf(InterruptedException.class);
        assertThat(migration.cancelled).isTrue();
    }

    @Test
    void shouldReturnOnlyWhenThingsWerePutBackAfterAnInterruption() throws Exception {
        AtomicBoolean back = new AtomicBoolean();
        Thread unwinding = new Thread(() -> {
            try {
                if (migration.told.await(10, TimeUnit.SECONDS)) {
                    back.set(true);
                    migration.report.cancel(false);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        unwinding.start();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> MigrationRun.await(migration, Duration.ofMinutes(1)))
                .isInstanceOf(InterruptedException.class);
        assertThat(back).isTrue();
        unwinding.join();
    }
}
