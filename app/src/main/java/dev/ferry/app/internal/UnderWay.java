// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.ReportOutcome;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * The migrations that still run in the background when no more commands come: nothing outlives the process, so they put
 * things back while their devices are there. Confined to one thread.
 */
final class UnderWay {

    private final List<Migration> migrations;
    private final Consumer<String> saying;

    /** What becomes of them is said in sentences that go on after {@code ferry: }. */
    UnderWay(List<Migration> migrations, Consumer<String> saying) {
        this.migrations = migrations;
        this.saying = saying;
    }

    /** Asks all of them to stop. */
    void stop() {
        for (Migration migration : migrations) {
            saying.accept("%s is still under way and %s"
                    .formatted(migration.id(), MigrationRun.stopping(migration.cancel())));
        }
    }

    /**
     * Waits until they have ended.
     *
     * @param limit of the wait
     * @return whether all of them ended, and their devices are in order
     */
    boolean end(Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        boolean inOrder = true;
        for (Migration migration : migrations) {
            inOrder &= ended(migration, deadline);
        }
        return inOrder;
    }

    private boolean ended(Migration migration, long deadline) throws InterruptedException {
        CompletableFuture<MigrationReport> result = migration.result().toCompletableFuture();
        try {
            MigrationReport report = result.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            ReportOutcome.sentences(report).forEach(saying);
            return ReportOutcome.isInOrder(report);
        } catch (TimeoutException e) {
            saying.accept("%s has not ended and is in %s; look at the states of its devices before you use them"
                    .formatted(migration.id(), migration.phase()));
        } catch (ExecutionException e) {
            saying.accept("%s has ended without a report: %s".formatted(migration.id(), e.getCause()));
        }
        return false;
    }
}
