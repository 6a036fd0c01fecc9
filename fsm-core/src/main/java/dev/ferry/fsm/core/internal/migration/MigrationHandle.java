// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One migration as its caller sees it. It is told what it shows, and refers to nothing that the migration works with
 * but the request, which is the caller's: callers may keep it for long after the end, when drivers have left and
 * buffers are to be free. Thread-safe.
 */
final class MigrationHandle implements Migration {

    private final String id;
    private final MigrationRequest request;
    private final Jobs jobs;
    private final AtomicReference<MigrationProgress> progress;
    private final CompletableFuture<MigrationReport> result = new CompletableFuture<>();

    /** A migration that has not ended, which tells its progress in the reference. */
    MigrationHandle(String id, MigrationRequest request, Jobs jobs, AtomicReference<MigrationProgress> progress) {
        this.id = id;
        this.request = request;
        this.jobs = jobs;
        this.progress = progress;
    }

    /** It has ended. */
    void complete(MigrationReport report) {
        result.complete(report);
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public MigrationRequest request() {
        return request;
    }

    @Override
    public MigrationPhase phase() {
        return progress().phase();
    }

    @Override
    public MigrationProgress progress() {
        return progress.get();
    }

    @Override
    public boolean cancel() {
        return jobs.cancel(id);
    }

    @Override
    public CompletionStage<MigrationReport> result() {
        return result.minimalCompletionStage();
    }
}
