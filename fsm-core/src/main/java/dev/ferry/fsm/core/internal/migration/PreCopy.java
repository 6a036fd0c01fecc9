// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Decision;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * PRE_COPY: device states and memory are carried in rounds while the guest runs, until all destinations have loaded the
 * initial data that come and the rule for the switchover is content. Confined to the thread of the migration, but for
 * the pieces of a round.
 */
final class PreCopy {

    /** Between two questions for initial data that are missing. */
    private static final Duration NOTHING_NOW = Duration.ofMillis(10);

    private final Ends ends;
    private final Optional<CarriedMemory> memory;
    private final Kit kit;
    private final Timeline timeline;
    private final SwitchoverDecision decision;
    private final List<DeviceEnds> early;
    private final List<DevicePreCopy> saving = new ArrayList<>();

    /** Whether memory is being carried, so that devices can be asked meanwhile. */
    private volatile boolean carryingMemory;

    PreCopy(Ends ends, Optional<CarriedMemory> memory, SwitchoverDecision decision, Kit kit) {
        this.ends = ends;
        this.memory = memory;
        this.kit = kit;
        this.timeline = kit.timeline();
        this.decision = decision;
        this.early = ends.devices().stream()
                .filter(device -> device.has(MigrationFeature.PRE_COPY))
                .toList();
    }

    /** Whether anything can be carried while the guest runs, and the request wants that. */
    boolean isPossible() {
        return kit.request().preCopy() && (!early.isEmpty() || isTracked());
    }

    /** Carries; when this returns it is time to switch over. */
    void run() throws MigrationException {
        timeline.enter(MigrationPhase.PRE_COPY);
        ends.touchSources();
        begin();
        do {
            round();
            decision.predict();
            // Once before the decision, so that whoever follows sees what it was made from.
            timeline.tellProgress();
            kit.signal().check();
        } while (mustWait() || !decision.isTime());
    }

    /** Nothing is carried before the pause. */
    void leaveOut() throws MigrationException {
        askForSizes(ends.devices());
        decision.predict();
        decision.withoutRounds();
    }

    private void begin() throws MigrationException {
        timeline.decide(
                Decision.Kind.PRE_COPY,
                early.size() + " of " + ends.devices().size() + " devices save while the guest runs"
                        + (early.size() == ends.devices().size() ? "." : "; the others lack PRE_COPY."));
        kit.passes().goUntimed(early.stream().map(DeviceEnds::source).toList(), DeviceState.PRE_COPY);
        for (DeviceEnds device : ends.devices()) {
            if (early.contains(device)) {
                device.saveEarly();
                saving.add(new DevicePreCopy(device, kit));
            } else {
                device.acknowledge(true);
            }
        }
        askForSizes(ends.devices().stream().filter(device -> !early.contains(device)).toList());
        if (isTracked()) {
            memory.get().startTracking();
        }
    }

    /** Those who save only when they are stopped tell beforehand how much that will be. */
    private void askForSizes(List<DeviceEnds> devices) throws MigrationException {
        List<Crew.Piece> pieces = new ArrayList<>();
        for (DeviceEnds device : devices) {
            pieces.add(gate -> device.expect(device.source().machine().stopCopySize()));
        }
        kit.crew().run(pieces);
    }

    private void round() throws MigrationException {
        int round = timeline.board().round() + 1;
        timeline.board().beginRound(round);
        List<Crew.Piece> pieces = new ArrayList<>();
        carryingMemory = isTracked();
        if (carryingMemory) {
            pieces.add(gate -> carryMemory(round, gate));
        }
        AtomicInteger left = new AtomicInteger(saving.size());
        for (DevicePreCopy device : saving) {
            pieces.add(gate -> {
                device.round(gate);
                if (left.decrementAndGet() == 0) {
                    askAgain(gate);
                }
            });
        }
        kit.crew().run(pieces);
        if (isTracked()) {
            memory.get().look();
        }
        askForReinitializations();
        saving.forEach(DevicePreCopy::tell);
    }

    /** All memory has to be carried once; while only initial data are missing, to carry it again is no progress. */
    private void carryMemory(int round, Gate gate) throws MigrationException {
        try {
            memory.get().round(gate, () -> round == 1 || !isAwaiting());
        } finally {
            carryingMemory = false;
        }
    }

    /** The last device of a round to end: those whose initial data are missing are not left alone with long memory. */
    private void askAgain(Gate gate) throws MigrationException {
        while (carryingMemory && isAwaiting()) {
            kit.clock().pause(NOTHING_NOW.toNanos());
            gate.check();
            for (DevicePreCopy device : saving) {
                if (device.isAwaited()) {
                    device.ask(gate);
                }
            }
        }
    }

    /** The round may have been long: what was announced since must be known before the decision. */
    private void askForReinitializations() throws MigrationException {
        kit.crew().run(announcing().map(device -> (Crew.Piece) device::ask).toList());
    }

    private Stream<DevicePreCopy> announcing() {
        return saving.stream().filter(DevicePreCopy::announcesReinitialization);
    }

    /**
     * The guest is paused and no device is stopped yet: who announced new initial data since the decision would load
     * them during the downtime.
     *
     * @throws MigrationException NOT_CONVERGING when somebody did and the request does not say to switch over all the
     *     same
     */
    void requireAcknowledged() throws MigrationException {
        kit.crew().run(announcing().map(device -> (Crew.Piece) gate -> device.askLast()).toList());
        List<String> late = saving.stream()
                .filter(DevicePreCopy::isLate)
                .map(DevicePreCopy::source)
                .toList();
        if (!late.isEmpty()) {
            decision.reinitialized(String.join(", ", late));
        }
    }

    private boolean mustWait() {
        List<DevicePreCopy> awaited = saving.stream().filter(DevicePreCopy::isAwaited).toList();
        if (!awaited.isEmpty() && awaited.stream().allMatch(DevicePreCopy::isSilent)) {
            kit.clock().pause(NOTHING_NOW.toNanos());
        }
        return !awaited.isEmpty();
    }

    /** Whether initial data are missing that may still come. */
    private boolean isAwaiting() {
        return saving.stream().anyMatch(DevicePreCopy::isAwaited);
    }

    private boolean isTracked() {
        return memory.isPresent() && memory.get().isTracked();
    }
}
