// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** How commands that migrate wait for the end of a migration. */
public final class MigrationRun {

    private static final long UNWIND_MILLIS = 1_500;

    /** How often is looked whether its turn has come. */
    private static final long LOOK_MILLIS = 100;

    /** For those before it, each of which has its own limit. */
    private static final Duration TURN_LIMIT = Duration.ofHours(24);

    private MigrationRun() {}

    /**
     * Waits for the end of a migration; tells it to stop when that takes too long or the caller is interrupted. In the
     * latter case it returns when things were put back, or 1.5 s later.
     *
     * @param limit from its turn on; before, it may wait a day
     * @param progress is told once when it has to wait for its turn
     * @throws CommandFailedException when it did not end within the limit
     */
    public static MigrationReport await(Migration migration, Duration limit, Consumer<String> progress)
            throws CommandFailedException, InterruptedException {
        CompletableFuture<MigrationReport> result = migration.result().toCompletableFuture();
        try {
            awaitTurn(migration, result, progress);
            return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            String stopping = stopping(migration.cancel());
            throw new CommandFailedException(
                    FailureCode.TIMEOUT,
                    "migration %s did not end within %d s, is in %s and %s; look at both devices with `devices`"
                            .formatted(migration.id(), limit.toSeconds(), migration.phase(), stopping),
                    e);
        } catch (InterruptedException e) {
            throw interrupted(migration, e);
        } catch (ExecutionException e) {
            throw new CommandFailedException(
                    FailureCode.INTERNAL, "migration %s has no report".formatted(migration.id()), e);
        }
    }

    /**
     * What to throw when whoever follows a migration is interrupted, for whatever it waited: tells the migration to
     * stop, and returns when things were put back, or 1.5 s later.
     */
    public static InterruptedException interrupted(Migration migration, InterruptedException cause) {
        MigrationPhase phase = migration.phase();
        String stopping = stopping(migration.cancel());
        return new MigrationInterruptedException(migration, phase, stopping, unwound(migration), cause);
    }

    /** Whether a migration stops, in words that go on after its id, given what {@link Migration#cancel} answered. */
    public static String stopping(boolean accepted) {
        return accepted ? "was asked to stop" : "can no longer be stopped";
    }

    private static void awaitTurn(
            Migration migration, CompletableFuture<MigrationReport> result, Consumer<String> progress)
            throws CommandFailedException, InterruptedException, ExecutionException {
        long begun = System.nanoTime();
        boolean told = false;
        while (!endsWithin(LOOK_MILLIS, result) && migration.progress().waiting()) {
            if (System.nanoTime() - begun > TURN_LIMIT.toNanos()) {
                throw new CommandFailedException(
                        FailureCode.TIMEOUT,
                        "migration %s has waited %d h for its turn and %s; `jobs` shows those before it"
                                .formatted(migration.id(), TURN_LIMIT.toHours(), stopping(migration.cancel())));
            }
            if (!told) {
                progress.accept(migration.id() + " waits for its turn; `jobs` shows those before it");
                told = true;
            }
        }
    }

    private static boolean endsWithin(long millis, CompletableFuture<MigrationReport> result)
            throws InterruptedException, ExecutionException {
        try {
            result.get(millis, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    // Who interrupts may take the devices away next, so the migration puts things back first.
    private static Optional<MigrationReport> unwound(Migration migration) {
        try {
            return Optional.of(
                    migration.result().toCompletableFuture().get(UNWIND_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | CancellationException | TimeoutException e) {
            // The interruption is what is told; how the migration ended stands in the log.
            return Optional.empty();
        }
        return Optional.empty();
    }
}
