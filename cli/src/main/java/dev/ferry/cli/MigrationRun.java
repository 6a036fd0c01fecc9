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

    private MigrationRun() {}

    /**
     * Waits for the end of a migration; tells it to stop when that takes too long or the caller is interrupted.
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
            migration.cancel();
            throw e;
        } catch (ExecutionException e) {
            throw new CommandFailedException(
                    FailureCode.INTERNAL, "migration %s has no report".formatted(migration.id()), e);
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
