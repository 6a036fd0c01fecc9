// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;

/** Brings both ends back after a failure before COMMIT: the source runs again, the destination forgets the guest. */
final class Rollback {

    private final Ends ends;
    private final Timeline timeline;
    private final List<Failure> failures = new ArrayList<>();

    Rollback(Ends ends, Timeline timeline) {
        this.ends = ends;
        this.timeline = timeline;
    }

    /** Rolls back; answers whether the source and its guest run again. What went wrong on the way is in the list. */
    Recovery.Outcome run() {
        // Where it could act for the guest already, it has to be silent before the source acts again.
        boolean running = ends.mayDestinationAct() && !abandonDestination()
                ? leaveSourceStopped()
                : !ends.isSourceTouched() || resumeSource();
        timeline.downtimeEnds();
        if (ends.isDestinationTouched() && !ends.mayDestinationAct()) {
            abandonDestination();
        }
        return new Recovery.Outcome(running, failures);
    }

    private boolean resumeSource() {
        Recovery.Outcome outcome = new Recovery(ends.source(), timeline::arcTaken).unwind();
        failures.addAll(outcome.failures());
        if (!ends.isGuestPaused()) {
            return outcome.done();
        }
        if (!outcome.done()) {
            failures.add(Failure.of(
                    FailureCode.GUEST_FAILED,
                    "The guest at the source is left paused, as its device " + ends.source().id()
                            + " does not run: reset the device, then resume the guest."));
            return false;
        }
        return resumeGuest();
    }

    private boolean resumeGuest() {
        try {
            ends.sourceGuest().orElseThrow().resume();
            return true;
        } catch (MigrationException e) {
            failures.add(e.failure());
            return false;
        }
    }

    private boolean leaveSourceStopped() {
        String source = ends.source().id();
        String destination = ends.destination().id();
        failures.add(Failure.of(
                FailureCode.DEVICE_FAILED,
                source,
                source + ": it is not started again, as " + destination + " could be neither reset nor stopped and may "
                        + "still act for the guest: reset " + destination + ", then take " + source
                        + " to RUNNING and resume its guest."));
        return false;
    }

    private boolean abandonDestination() {
        Recovery.Outcome outcome = new Recovery(ends.destination(), timeline::arcTaken).abandon();
        failures.addAll(outcome.failures());
        return outcome.done();
    }
}
