// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * START and RELEASE: the destination owns the device, and nothing here gives that back or throws state away. Confined
 * to the thread of the migration.
 */
final class FinalSteps {

    private static final Logger LOG = LoggerFactory.getLogger(FinalSteps.class);

    private final Ends ends;
    private final Timeline timeline;
    private final ArcWatch watch;

    FinalSteps(Ends ends, Timeline timeline) {
        this.ends = ends;
        this.timeline = timeline;
        this.watch = timeline::arcTaken;
    }

    /** Goes both steps, the second one also when the first failed; answers what failed. */
    Optional<Failure> run() {
        Optional<Failure> failure = start();
        timeline.downtimeEnds();
        releaseSource();
        return failure;
    }

    private Optional<Failure> start() {
        timeline.enter(MigrationPhase.START);
        try {
            ends.destination().machine().goTo(DeviceState.RUNNING, watch);
            if (ends.destinationGuest().isPresent()) {
                ends.destinationGuest().get().resume();
            }
            return Optional.empty();
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("The destination does not start because of", e);
            return Optional.of(withAdvice(Failures.of(e)));
        }
    }

    private Failure withAdvice(Failure failure) {
        String state = ends.destination().state().map(DeviceState::name).orElse("a state that cannot be asked");
        String advice = failure.message() + " The destination " + ends.destination().id()
                + " owns the guest and is left in " + state + " with what was loaded: take it to RUNNING if it is not, "
                + "then resume its guest. The source " + ends.source().id()
                + " is not started again; it keeps its copy in STOP until it is used for anything.";
        return new Failure(
                failure.code(),
                Optional.of(MigrationPhase.START),
                failure.device().or(() -> Optional.of(ends.destination().id())),
                failure.errno(),
                advice,
                List.of());
    }

    private void releaseSource() {
        timeline.enter(MigrationPhase.RELEASE);
        try {
            ends.source().machine().goTo(DeviceState.STOP, watch);
        } catch (MigrationException e) {
            LOG.warn("The source is released, but did not go to STOP; it is reset before its next use. {}",
                    e.failure().message(), e);
        }
    }
}
