// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One migration as its caller sees it; runs on a thread of {@link Jobs}. Thread-safe. */
final class MigrationJob implements Migration, Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(MigrationJob.class);

    private final String id;
    private final MigrationRequest request;
    private final Timeline timeline;
    private final StopSignal signal;
    private final MigrationRun run;
    private final Consumer<MigrationJob> ended;
    private final CompletableFuture<MigrationReport> result = new CompletableFuture<>();

    /** {@code ended} is called when both devices are free again, before anybody learns of the result. */
    MigrationJob(
            String id,
            MigrationRequest request,
            MigrationListener listener,
            DeviceRegistry registry,
            Settings settings,
            Consumer<MigrationJob> ended) {
        this.id = id;
        this.request = request;
        this.timeline = new Timeline(id, listener);
        this.signal = StopSignal.within(request.timeout());
        this.run = new MigrationRun(id, request, signal, timeline, registry, settings.chunkBytes());
        this.ended = ended;
    }

    @Override
    public void run() {
        Thread thread = Thread.currentThread();
        String pooled = thread.getName();
        thread.setName(Jobs.THREAD_PREFIX + id);
        try {
            // Not before: the wait for a thread is no part of the migration.
            timeline.begin();
            signal.start();
            LOG.info("{}: migrating {} to {}", id, request.source(), request.destination());
            MigrationReport report = run.run();
            log(report);
            ended.accept(this);
            try {
                timeline.tellEnd(report);
            } finally {
                result.complete(report);
            }
        } finally {
            thread.setName(pooled);
        }
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
        return timeline.phase();
    }

    @Override
    public boolean cancel() {
        return stop("The migration was cancelled.");
    }

    /** Cancels for a reason. */
    boolean stop(String why) {
        return signal.request(Failure.of(FailureCode.CANCELLED, why));
    }

    @Override
    public CompletionStage<MigrationReport> result() {
        return result.minimalCompletionStage();
    }

    private void log(MigrationReport report) {
        if (report.failure().isEmpty()) {
            LOG.info("{}: completed in {} ms, downtime {} ms, {} bytes of state, {} bytes of memory", id,
                    report.total().toMillis(), report.downtime().toMillis(), report.stateBytes(), report.memoryBytes());
            return;
        }
        Failure failure = report.failure().get();
        LOG.warn("{}: {} with {}: {}", id, report.result(), failure.code(), failure.message());
        failure.following().forEach(later -> LOG.warn("{}: afterwards {}: {}", id, later.code(), later.message()));
    }
}
