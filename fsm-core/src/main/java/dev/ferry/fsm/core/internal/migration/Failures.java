// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The failures of one job in the order in which they happened: the first is reported, the others follow it. */
final class Failures {

    private final List<Failure> inOrder = new ArrayList<>();

    /**
     * Begins with what ended the job. A request to stop that came before the failure comes before it here; one that
     * comes from now on is told nowhere, as it changes nothing any more.
     */
    Failures(StopSignal signal, Throwable first) {
        Failure failure = of(first);
        signal.request(failure);
        signal.requested().ifPresent(this::add);
        add(failure);
    }

    /** Begins with this one. */
    Failures(Failure first) {
        add(first);
    }

    /** Adds later ones. */
    void add(List<Failure> later) {
        later.forEach(this::add);
    }

    /** Adds a later one and those that follow it, each unless it is there already. */
    void add(Failure later) {
        if (inOrder.stream().noneMatch(known -> isSame(known, later))) {
            inOrder.add(withFollowing(later, List.of()));
        }
        add(later.following());
    }

    /** What was asked for was not reached either: a cancel is not what is wrong, so it comes behind what is. */
    void blameNoCancel() {
        inOrder.sort(Comparator.comparing(failure -> failure.code() == FailureCode.CANCELLED));
    }

    /** The first, with the later ones attached. */
    Failure toFailure(Optional<MigrationPhase> phase) {
        Failure first = inOrder.get(0);
        return new Failure(
                first.code(),
                first.phase().or(() -> phase),
                first.device(),
                first.errno(),
                first.message(),
                inOrder.subList(1, inOrder.size()));
    }

    private static boolean isSame(Failure one, Failure other) {
        return withFollowing(one, List.of()).equals(withFollowing(other, List.of()));
    }

    private static Failure withFollowing(Failure failure, List<Failure> following) {
        return new Failure(
                failure.code(), failure.phase(), failure.device(), failure.errno(), failure.message(), following);
    }

    /** What to report of an exception which one device met: its failure names the device. */
    static MigrationException of(Throwable e, String device) {
        if (e instanceof MigrationException known && known.failure().device().isPresent()) {
            return known;
        }
        Failure failure = of(e);
        return new MigrationException(
                new Failure(
                        failure.code(),
                        failure.phase(),
                        Optional.of(device),
                        failure.errno(),
                        failure.message(),
                        failure.following()),
                e);
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
