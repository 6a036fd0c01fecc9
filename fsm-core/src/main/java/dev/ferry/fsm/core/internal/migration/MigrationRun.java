// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One migration from CHECK to RELEASE: until the end of COMMIT the source owns the device and any failure
 * brings it back to RUNNING; from then on the destination owns it. Runs once, on the thread of the migration.
 */
final class MigrationRun {

    private static final Logger LOG = LoggerFactory.getLogger(MigrationRun.class);

    private final String id;
    private final MigrationRequest request;
    private final StopSignal signal;
    private final Timeline timeline;
    private final DeviceRegistry registry;
    private final int chunkBytes;

    /** Whether the source runs, or was never touched. */
    private boolean sourceRuns = true;

    private Optional<DeviceState> sourceState = Optional.empty();
    private Optional<DeviceState> destinationState = Optional.empty();

    MigrationRun(
            String id,
            MigrationRequest request,
            StopSignal signal,
            Timeline timeline,
            DeviceRegistry registry,
            int chunkBytes) {
        this.id = id;
        this.request = request;
        this.signal = signal;
        this.timeline = timeline;
        this.registry = registry;
        this.chunkBytes = chunkBytes;
    }

    /** Migrates; never throws. When it returns, both devices are given back. */
    MigrationReport run() {
        Optional<Failure> failure;
        try {
            failure = migrate();
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("{}: ended in {} by", id, timeline.phase(), e);
            failure = Optional.of(new Failures(signal, e).toFailure(Optional.of(timeline.phase())));
        }
        signal.end();
        timeline.leavePhase();
        return report(failure);
    }

    private Optional<Failure> migrate() throws MigrationException {
        Check check = new Check(registry);
        timeline.enter(MigrationPhase.CHECK);
        signal.check();
        Check.requireNone(check.findings(request));
        timeline.enter(MigrationPhase.CONNECT);
        signal.check();
        try (Reservation source = registry.require(request.source()).reserve(signal);
                Reservation destination = registry.require(request.destination()).reserve(signal)) {
            Check.requireNone(check.findingsOfReserved(source.device(), destination.device()));
            Optional<Failure> failure = carry(new Ends(source.device(), destination.device(), request));
            // Asked while the devices are still reserved: afterwards their drivers may be gone.
            timeline.leavePhase();
            sourceState = source.device().state();
            destinationState = destination.device().state();
            return failure;
        }
    }

    private Optional<Failure> carry(Ends ends) {
        try {
            new ForwardSteps(ends, timeline, signal, chunkBytes).run(request.preCopy());
        } catch (MigrationException | RuntimeException | Error e) {
            // Also for a defect or a lack of memory: the guest must not stay paused, nor the device stopped.
            LOG.debug("{}: rolls back in {} because of", id, timeline.phase(), e);
            return Optional.of(rollBack(ends, new Failures(signal, e)));
        }
        return new FinalSteps(ends, timeline).run();
    }

    private Failure rollBack(Ends ends, Failures failures) {
        MigrationPhase failedIn = timeline.phase();
        Recovery.Outcome outcome = new Rollback(ends, timeline).run();
        sourceRuns = outcome.done();
        failures.add(outcome.failures());
        return failures.toFailure(Optional.of(failedIn));
    }

    private MigrationReport report(Optional<Failure> failure) {
        return new MigrationReport(
                id,
                result(failure),
                request.source(),
                request.destination(),
                timeline.downtime(),
                timeline.total(),
                timeline.stateBytes(),
                timeline.memoryBytes(),
                timeline.phases(),
                sourceState.or(() -> stateOf(request.source())),
                destinationState.or(() -> stateOf(request.destination())),
                failure);
    }

    private MigrationReport.Result result(Optional<Failure> failure) {
        if (failure.isEmpty()) {
            return MigrationReport.Result.COMPLETED;
        }
        boolean cancelled = failure.get().code() == FailureCode.CANCELLED && sourceRuns;
        return cancelled ? MigrationReport.Result.CANCELLED : MigrationReport.Result.FAILED;
    }

    private Optional<DeviceState> stateOf(String device) {
        return registry.find(device).flatMap(Device::state);
    }
}
