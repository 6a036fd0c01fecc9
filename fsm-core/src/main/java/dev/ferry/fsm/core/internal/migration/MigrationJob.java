// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.memory.Buffers;
import dev.ferry.fsm.core.internal.pace.TokenBucket;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One migration from its start to its report; {@link Jobs} runs it, and has it until it has ended. Thread-safe. */
final class MigrationJob {

    private static final Logger LOG = LoggerFactory.getLogger(MigrationJob.class);

    private final String id;
    private final MigrationRequest request;
    private final Timeline timeline;
    private final StopSignal signal;
    private final MigrationRun run;
    private final MigrationHandle handle;
    private final MigrationReport lastResort;

    MigrationJob(
            String id,
            MigrationRequest request,
            MigrationListener listener,
            DeviceRegistry registry,
            Settings settings,
            Jobs jobs) {
        this.id = id;
        this.request = request;
        this.signal = StopSignal.within(
                jobs.clock(), request.timeouts().total(), request.timeouts().noProgress());
        this.timeline = new Timeline(id, request, listener, signal, jobs.clock());
        this.handle = new MigrationHandle(id, request, jobs, timeline.progress());
        Crew crew = new Crew(jobs.helpers(id), settings.transferThreads(), signal, timeline::tick);
        Kit kit = new Kit(
                request,
                settings,
                signal,
                timeline,
                crew,
                new Passes(crew, timeline, signal),
                new TokenBucket(request.bandwidth(), jobs.clock()),
                new Buffers(),
                jobs.clock(),
                jobs.history());
        this.run = new MigrationRun(id, kit, registry);
        this.lastResort = ReportForm.broken(
                id, request, Failure.of(FailureCode.INTERNAL, "The migration broke off: look at both ends' devices."));
    }

    /** Migrates, on a thread of its own. */
    MigrationReport run() {
        try {
            // Not before: the wait for its turn is no part of the migration.
            timeline.begin();
            LOG.info("{}: {} {}", id, request.dryRun() ? "trying" : "migrating", request.describeDevices());
            MigrationReport report = run.run();
            log(report);
            return report;
        } catch (RuntimeException | Error e) {
            return failed(e);
        }
    }

    /** It broke off, or could not begin, because of this. */
    MigrationReport failed(Throwable e) {
        LOG.error("{}: broken off", id, e);
        return ReportForm.broken(id, request, Failures.of(e));
    }

    /** What there is to report when not even that can be made, for a lack of memory. */
    MigrationReport lastResort() {
        return lastResort;
    }

    /** It has ended: tells everybody. */
    void complete(MigrationReport report) {
        signal.end();
        try {
            timeline.tellEnd(report);
        } catch (RuntimeException | Error e) {
            LOG.error("{}: its end could not be delivered to whoever waits for the result", id, e);
        } finally {
            handle.complete(report);
        }
    }

    String id() {
        return id;
    }

    /** What its caller has of it. */
    MigrationHandle handle() {
        return handle;
    }

    /** Cancels for a reason; false when it is too late. */
    boolean stop(String why) {
        return signal.request(Failure.of(FailureCode.CANCELLED, why));
    }

    private void log(MigrationReport report) {
        if (report.failure().isEmpty()) {
            LOG.info("{}: {} in {} ms, downtime {} ms, {} bytes of state, {} bytes of memory", id, report.result(),
                    report.total().toMillis(), report.downtime().toMillis(), report.stateBytes(), report.memoryBytes());
            return;
        }
        Failure failure = report.failure().get();
        LOG.warn("{}: {} with {}: {}", id, report.result(), failure.code(), failure.message());
        failure.following().forEach(later -> LOG.warn("{}: afterwards {}: {}", id, later.code(), later.message()));
    }
}
