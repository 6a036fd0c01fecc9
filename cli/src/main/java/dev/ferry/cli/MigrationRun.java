// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What commands that migrate have in common: how they wait, and what their documents share. */
public final class MigrationRun {

    private static final long UNWIND_MILLIS = 1_500;

    private MigrationRun() {}

    /**
     * Waits for the end of a migration; tells it to stop when that takes too long or the caller is interrupted. In the
     * latter case it returns when things were put back, or 1.5 s later.
     *
     * @throws CommandFailedException when it did not end within the limit
     */
    public static MigrationReport await(Migration migration, Duration limit)
            throws CommandFailedException, InterruptedException {
        try {
            return migration.result().toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            migration.cancel();
            throw new CommandFailedException(
                    FailureCode.TIMEOUT,
                    "migration %s did not end within %d s, is in %s and was told to stop; look at both devices with "
                            .formatted(migration.id(), limit.toSeconds(), migration.phase()) + "`devices`",
                    e);
        } catch (InterruptedException e) {
            unwind(migration);
            throw e;
        } catch (ExecutionException e) {
            throw new CommandFailedException(
                    FailureCode.INTERNAL, "migration %s has no report".formatted(migration.id()), e);
        }
    }

    // Who interrupts may take the devices away next, so the migration puts things back first.
    private static void unwind(Migration migration) {
        migration.cancel();
        try {
            migration.result().toCompletableFuture().get(UNWIND_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // The interruption is what is told; how the migration ended stands in the log.
            return;
        }
    }

    /** How long each phase took, in the order of the phases. */
    public static JsonArray phases(MigrationReport report) {
        JsonArray phases = new JsonArray();
        for (MigrationReport.Phase each : report.phases()) {
            JsonObject phase = new JsonObject();
            phase.addProperty("name", each.phase().name());
            phase.addProperty("millis", Json.millis(each.duration()));
            phases.add(phase);
        }
        return phases;
    }

    /** What the document of a command begins with that failed before there was a report. */
    public static JsonObject withoutReport() {
        JsonObject document = new JsonObject();
        document.addProperty("result", MigrationReport.Result.FAILED.name());
        return document;
    }
}
