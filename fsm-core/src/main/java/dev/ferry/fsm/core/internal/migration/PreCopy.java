// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.pace.SwitchoverRule;
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

/**
 * PRE_COPY: device states and memory are carried in rounds while the guest runs, until all destinations have loaded the
 * initial data and the rule for the switchover is content. Confined to the thread of the migration.
 */
final class PreCopy {

    /** Between two rounds that found nothing, while initial data are missing. */
    private static final Duration NOTHING_NOW = Duration.ofMillis(10);

    /** How long to wait for initial data that a device announces and does not give. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Ends ends;
    private final Optional<CarriedMemory> memory;
    private final Kit kit;
    private final Timeline timeline;
    private final SwitchoverRule rule;
    private final List<DeviceEnds> early;
    private final List<DevicePreCopy> saving = new ArrayList<>();
    private DowntimePlan plan;
    private long carriedBefore;
    private long silentSince;

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
        if (isTracked()) {
            memory.get().startTracking();
        }
        silentSince = kit.clock().nanos();
    }

    private void round() throws MigrationException {
        timeline.board().beginRound(timeline.board().round() + 1);
        List<Crew.Piece> pieces = new ArrayList<>();
        if (isTracked()) {
            pieces.add(memory.get()::round);
        }
        saving.forEach(device -> pieces.add(device::round));
        kit.crew().run(pieces);
        saving.forEach(DevicePreCopy::tell);
        if (isTracked()) {
            memory.get().look(kit.signal());
        }
    }

    private DowntimePlan predict() {
        OptionalDouble rate = memory.isPresent() ? memory.get().rate().bytesPerSecond() : OptionalDouble.empty();
        DowntimePlan predicted = DowntimePlan.of(
                ends.devices().stream().map(DeviceEnds::kind).toList(),
                memory.map(CarriedMemory::remainingBytes).orElse(0L),
                saving.stream().mapToLong(DevicePreCopy::stateBytes).sum(),
                rate,
                kit.request().bandwidth(),
                kit.history());
        double written = isTracked() ? memory.get().rate().writtenBytesPerSecond() : 0;
        timeline.board().predict(rule.allowed(), predicted.total(), written);
        return predicted;
    }

    private boolean isTimeToSwitchOver() throws MigrationException {
        kit.signal().check();
        if (!areAllAcknowledged()) {
            return !waitForInitialData();
        }
        if (plan.total().isEmpty()) {
            timeline.decide(
                    Decision.Kind.SWITCHOVER,
                    "The downtime cannot be predicted, as there is nothing to go by: " + plan.basis() + ".");
            return true;
        }
        SwitchoverRule.Verdict verdict = rule.judge(plan.total().get(), isTracked(), plan.basis());
        timeline.board().predict(rule.allowed(), plan.total(), writtenBytesPerSecond());
        return switch (verdict) {
            case CONTINUE -> false;
            case SWITCH_OVER -> true;
            case GIVE_UP -> throw notConverging();
        };
    }

    private double writtenBytesPerSecond() {
        return isTracked() ? memory.get().rate().writtenBytesPerSecond() : 0;
    }

    private boolean areAllAcknowledged() {
        return early.stream().allMatch(DeviceEnds::isAcknowledged);
    }

    /** Answers false when it has waited long enough: leaving PRE_COPY early is allowed, and costs downtime. */
    private boolean waitForInitialData() {
        long carried = early.stream().mapToLong(device -> device.gauge().bytes()).sum();
        long now = kit.clock().nanos();
        if (carried != carriedBefore) {
            carriedBefore = carried;
            silentSince = now;
            return true;
        }
        if (now - silentSince < PATIENCE.toNanos()) {
            kit.clock().pause(NOTHING_NOW.toNanos());
            return true;
        }
        timeline.decide(
                Decision.Kind.FORCED,
                "It switches over although initial data of devices are missing: nothing came for "
                        + PATIENCE.toMillis() + " ms; expect a longer downtime.");
        return false;
    }

    private MigrationException notConverging() {
        return new MigrationException(Failure.of(
                FailureCode.NOT_CONVERGING,
                "The guest was not paused, as " + plan.total().orElseThrow().toMillis() + " ms of downtime are predicted and "
                        + rule.allowed().toMillis() + " ms allowed, and waiting does not help (" + plan.basis()
                        + "): allow more downtime or bandwidth, or let it switch over all the same."));
    }

    private boolean isTracked() {
        return memory.isPresent() && memory.get().isTracked();
    }
}
