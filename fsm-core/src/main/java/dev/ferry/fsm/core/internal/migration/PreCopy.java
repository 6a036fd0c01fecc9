// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.pace.SwitchoverRule;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
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
    private final SwitchoverRule rule;
    private final List<DeviceEnds> early;
    private final List<DevicePreCopy> saving = new ArrayList<>();
    private DowntimePlan plan;

    /** Whether memory is being carried, so that devices can be asked meanwhile. */
    private volatile boolean carryingMemory;

    PreCopy(Ends ends, Optional<CarriedMemory> memory, Kit kit) {
        this.ends = ends;
        this.memory = memory;
        this.kit = kit;
        this.timeline = kit.timeline();
        this.rule = new SwitchoverRule(kit.request().convergence(), timeline::decide);
        this.early = ends.devices().stream()
                .filter(device -> device.has(MigrationFeature.PRE_COPY))
                .toList();
    }

    /** Whether anything can be carried while the guest runs, and the request wants that. */
    boolean isPossible() {
        return kit.request().preCopy() && (!early.isEmpty() || isTracked());
    }

    /** Carries; when this returns it is time to switch over. */
    DowntimePlan run() throws MigrationException {
        timeline.enter(MigrationPhase.PRE_COPY);
        ends.touchSources();
        begin();
        while (true) {
            round();
            plan = predict();
            // Once before the decision, so that whoever follows sees what it was made from.
            timeline.tellProgress();
            if (isTimeToSwitchOver()) {
                return plan;
            }
        }
    }

    /**
     * Nothing is carried before the pause. A request with pre-copy still keeps to the downtime it allows, where that
     * can be predicted.
     */
    DowntimePlan leaveOut() throws MigrationException {
        askForSizes(ends.devices());
        plan = predict();
        if (kit.request().preCopy() && plan.total().isPresent()) {
            requireSwitchover(rule.judge(plan.total().get(), false, plan.basis()));
        } else {
            timeline.decide(Decision.Kind.SWITCHOVER, "Nothing is carried while the guest runs: " + plan.basis() + ".");
        }
        return plan;
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
     * them during the downtime. So the guest had better run on; the request says whether it does.
     *
     * @throws MigrationException NOT_CONVERGING when it does
     */
    void requireAcknowledged() throws MigrationException {
        kit.crew().run(announcing().map(device -> (Crew.Piece) gate -> device.askLast()).toList());
        String late = saving.stream()
                .filter(DevicePreCopy::isLate)
                .map(DevicePreCopy::source)
                .collect(Collectors.joining(", "));
        if (late.isEmpty()) {
            return;
        }
        if (kit.request().convergence().onStall() == Convergence.OnStall.FAIL) {
            throw new MigrationException(Failure.of(
                    FailureCode.NOT_CONVERGING,
                    late + " announced new initial data when the guest was paused already, which would be loaded "
                            + "during the downtime: migrate again, or let it switch over all the same."));
        }
        timeline.decide(
                Decision.Kind.FORCED,
                "It switches over all the same, as the request says, although " + late
                        + " announced new initial data after the decision; expect a longer downtime.");
    }

    private DowntimePlan predict() {
        OptionalDouble rate = memory.isPresent() ? memory.get().rate().bytesPerSecond() : OptionalDouble.empty();
        DowntimePlan predicted = DowntimePlan.of(
                ends.devices().stream()
                        .map(device -> new DowntimePlan.Load(device.kind(), device.stateBytes()))
                        .toList(),
                kit.settings().threadsOfMigration(),
                memory.map(CarriedMemory::remainingBytes).orElse(0L),
                rate,
                kit.request().bandwidth(),
                kit.history());
        timeline.board().predict(rule.allowed(), predicted, writtenBytesPerSecond());
        return predicted;
    }

    private boolean isTimeToSwitchOver() throws MigrationException {
        kit.signal().check();
        if (isAwaiting()) {
            if (saving.stream().filter(DevicePreCopy::isAwaited).allMatch(DevicePreCopy::isSilent)) {
                kit.clock().pause(NOTHING_NOW.toNanos());
            }
            return false;
        }
        if (plan.total().isEmpty()) {
            timeline.decide(
                    Decision.Kind.SWITCHOVER,
                    "The downtime cannot be predicted, as there is nothing to go by: " + plan.basis() + ".");
            return true;
        }
        SwitchoverRule.Verdict verdict = rule.judge(plan.total().get(), isTracked(), plan.basis());
        timeline.board().predict(rule.allowed(), plan, writtenBytesPerSecond());
        if (verdict != SwitchoverRule.Verdict.CONTINUE) {
            requireSwitchover(verdict);
        }
        return verdict == SwitchoverRule.Verdict.SWITCH_OVER;
    }

    private void requireSwitchover(SwitchoverRule.Verdict verdict) throws MigrationException {
        if (verdict != SwitchoverRule.Verdict.SWITCH_OVER) {
            // Figures of one slow run must not stand against all that follow.
            ends.devices().forEach(device -> kit.history().doubt(device.kind()));
            throw notConverging();
        }
    }

    private double writtenBytesPerSecond() {
        return isTracked() ? memory.get().rate().writtenBytesPerSecond() : 0;
    }

    /** Whether initial data are missing that may still come. */
    private boolean isAwaiting() {
        return saving.stream().anyMatch(DevicePreCopy::isAwaited);
    }

    /**
     * The guest is paused and the devices are stopped, but a record of written pages was lost, so that all memory is
     * left: the downtime is judged once more, as there is still a way back.
     *
     * @throws MigrationException NOT_CONVERGING when more is predicted than allowed and the request does not say to
     *     switch over all the same
     */
    void judgeAgain() throws MigrationException {
        plan = predict();
        Duration predicted = plan.total().orElse(Duration.ZERO);
        if (predicted.compareTo(rule.allowed()) <= 0) {
            return;
        }
        if (kit.request().convergence().onStall() == Convergence.OnStall.FAIL) {
            throw new MigrationException(Failure.of(
                    FailureCode.NOT_CONVERGING,
                    "A record of written pages was lost when the guest was paused already, and " + predicted.toMillis()
                            + " ms of downtime would follow where " + rule.allowed().toMillis()
                            + " ms are allowed: migrate again, or let it switch over all the same."));
        }
        timeline.decide(
                Decision.Kind.FORCED,
                "It switches over all the same, as the request says; expect " + predicted.toMillis()
                        + " ms of downtime.");
    }

    private MigrationException notConverging() {
        long predicted = plan.total().orElseThrow().toMillis();
        return new MigrationException(Failure.of(
                FailureCode.NOT_CONVERGING,
                "The guest was not paused, as " + predicted + " ms of downtime are predicted and "
                        + rule.allowed().toMillis() + " ms allowed, and waiting does not help (" + plan.basis()
                        + "): allow more downtime or bandwidth, or let it switch over all the same."));
    }

    private boolean isTracked() {
        return memory.isPresent() && memory.get().isTracked();
    }
}
