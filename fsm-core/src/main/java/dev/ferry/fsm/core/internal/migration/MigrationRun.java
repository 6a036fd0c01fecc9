// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One migration from CHECK to RELEASE: until the end of COMMIT the source owns the devices and any failure
 * brings it back to RUNNING; from then on the destination owns them. Runs once, on the thread of the migration.
 */
final class MigrationRun {

    private static final Logger LOG = LoggerFactory.getLogger(MigrationRun.class);

    private final String id;
    private final Kit kit;
    private final Timeline timeline;
    private final DeviceRegistry registry;
    private final ReportForm form;

    /** How the source came out where it had to be brought back. */
    private Recovery.Rung source = Recovery.Rung.IN_ORDER;

    MigrationRun(String id, Kit kit, DeviceRegistry registry) {
        this.id = id;
        this.kit = kit;
        this.timeline = kit.timeline();
        this.registry = registry;
        this.form = new ReportForm(id, kit, registry);
    }

    /** Migrates; never throws. When it returns, all devices are given back. */
    MigrationReport run() {
        Optional<Failure> failure;
        try {
            failure = migrate();
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("{}: ended in {} by", id, timeline.phase(), e);
            failure = Optional.of(new Failures(kit.signal(), e).toFailure(Optional.of(timeline.phase())));
        }
        kit.signal().end();
        timeline.leavePhase();
        return form.fill(result(failure), failure);
    }

    private Optional<Failure> migrate() throws MigrationException {
        Check check = new Check(registry, kit.signal());
        timeline.enter(MigrationPhase.CHECK);
        kit.signal().check();
        List<Finding> findings = check.findings(kit.request());
        // Whoever was asked to stop did not wait to see whether the devices are free.
        kit.signal().check();
        requireNone(findings);
        timeline.enter(MigrationPhase.CONNECT);
        kit.signal().check();
        Deque<Reservation> reserved = new ArrayDeque<>();
        try {
            Ends ends = new Ends(reserve(reserved), kit.request());
            requireNone(check.findingsOfReserved(ends.sources(), ends.destinations(), kit.crew()));
            timeline.board().follow(ends.devices());
            Optional<Failure> failure = carry(ends);
            // Asked while the devices are still reserved: afterwards their drivers may be gone.
            timeline.leavePhase();
            form.lookAt(ends);
            return failure;
        } finally {
            reserved.forEach(Reservation::close);
        }
    }

    private void requireNone(List<Finding> findings) throws MigrationException {
        form.found(findings);
        Check.requireNone(findings);
    }

    private List<DeviceEnds> reserve(Deque<Reservation> reserved) throws MigrationException {
        List<DeviceEnds> devices = new ArrayList<>();
        for (DevicePair pair : kit.request().devices()) {
            Device source = reserve(pair.source(), reserved);
            devices.add(new DeviceEnds(source, reserve(pair.destination(), reserved), kit.clock()));
        }
        return devices;
    }

    private Device reserve(String device, Deque<Reservation> reserved) throws MigrationException {
        Reservation reservation = registry.require(device).reserve(kit.signal());
        reserved.push(reservation);
        return reservation.device();
    }

    private Optional<Failure> carry(Ends ends) {
        ForwardSteps forward = new ForwardSteps(ends, kit);
        form.follow(forward);
        try {
            forward.run();
        } catch (MigrationException | RuntimeException | Error e) {
            // Also for a defect or a lack of memory: the guest must not stay paused, nor a device stopped.
            LOG.debug("{}: rolls back in {} because of", id, timeline.phase(), e);
            Failures failures = new Failures(kit.signal(), e);
            return Optional.of(rollBack(ends, forward, failures));
        }
        if (kit.request().dryRun()) {
            return unwind(ends, forward);
        }
        Optional<Failure> failure = new FinalSteps(ends, forward, kit).run();
        if (failure.isEmpty()) {
            remember(ends, forward);
        }
        return failure;
    }

    private Failure rollBack(Ends ends, ForwardSteps forward, Failures failures) {
        MigrationPhase failedIn = timeline.phase();
        Recovery.Outcome outcome = new Rollback(ends, kit).run();
        source = outcome.rung();
        failures.add(outcome.failures());
        failures.add(forward.stopTracking());
        if (source != Recovery.Rung.IN_ORDER) {
            failures.blameNoCancel();
        }
        Failure failure = failures.toFailure(Optional.of(failedIn));
        return ends.isGuestPaused() && source == Recovery.Rung.IN_ORDER ? runsAgain(failure) : failure;
    }

    /** Whoever set a time limit did not ask for a downtime: what became of it is a part of the answer. */
    private Failure runsAgain(Failure failure) {
        if (failure.code() != FailureCode.TIMEOUT) {
            return failure;
        }
        String outcome = " The guest runs at the source again, after " + timeline.downtime().total().toMillis()
                + " ms of downtime.";
        return new Failure(
                failure.code(),
                failure.phase(),
                failure.device(),
                failure.errno(),
                failure.message() + outcome,
                failure.following());
    }

    /** The end of a dry run; answers what went wrong with it. */
    private Optional<Failure> unwind(Ends ends, ForwardSteps forward) {
        MigrationPhase endedIn = timeline.phase();
        Recovery.Outcome outcome = new Rollback(ends, kit).run();
        source = outcome.rung();
        List<Failure> failures = new ArrayList<>(outcome.failures());
        failures.addAll(forward.stopTracking());
        if (failures.isEmpty()) {
            return Optional.empty();
        }
        Failures all = new Failures(failures.get(0));
        all.add(failures.subList(1, failures.size()));
        return Optional.of(all.toFailure(Optional.of(endedIn)));
    }

    private void remember(Ends ends, ForwardSteps forward) {
        ends.devices().stream()
                .collect(groupingBy(DeviceEnds::kind, mapping(device -> device.times().all(), toList())))
                .forEach(kit.history()::add);
        Map<Step, Duration> beside =
                timeline.downtime().beside(ends.devices(), kit.settings().threadsOfMigration());
        kit.history().add(ends.beside(), List.of(beside));
        forward.memory()
                .flatMap(memory -> memory.rate().bytesPerSecond().stream().boxed().findFirst())
                .filter(rate -> !kit.request().bandwidth().isLimited())
                .ifPresent(kit.history()::addMemoryRate);
    }

    private Result result(Optional<Failure> failure) {
        if (failure.isEmpty()) {
            return kit.request().dryRun() ? Result.PASSED : Result.COMPLETED;
        }
        boolean cancelled = failure.get().code() == FailureCode.CANCELLED && source == Recovery.Rung.IN_ORDER;
        return cancelled ? Result.CANCELLED : Result.FAILED;
    }
}
