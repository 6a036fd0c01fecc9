// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The failures of one job in the order in which they happened: the first is reported, the others follow it. */
final class Failures {

    private final List<Failure> inOrder = new ArrayList<>();

    /** Begins with what ended the job: a request to stop that came before the failure comes before it here. */
    Failures(StopSignal signal, Throwable first) {
        Failure failure = of(first);
        signal.requested().filter(requested -> requested != failure).ifPresent(inOrder::add);
        inOrder.add(failure);
    }

    /** Adds later ones. */
    void add(List<Failure> later) {
        inOrder.addAll(later);
    }

    /** Adds a later one. */
    void add(Failure later) {
        inOrder.add(later);
    }

    /** The first, with the later ones attached. */
    Failure toFailure(Optional<MigrationPhase> phase) {
        Failure first = inOrder.get(0);
        List<Failure> following = new ArrayList<>(first.following());
        following.addAll(inOrder.subList(1, inOrder.size()));
        return new Failure(
                first.code(), first.phase().or(() -> phase), first.device(), first.errno(), first.message(), following);
    }

    /** What to report of an exception: anything that our own code did not foresee is a defect of it. */
    static Failure of(Throwable e) {
        if (e instanceof MigrationException known) {
            return known.failure();
        }
        return e instanceof VirtualMachineError
                ? Failure.of(FailureCode.INTERNAL, "The Java machine lacks a resource: " + e + "; give it more memory.")
                : Failure.of(FailureCode.INTERNAL, "A defect of Ferry: " + e + "; please report it with the log.");
    }
}
