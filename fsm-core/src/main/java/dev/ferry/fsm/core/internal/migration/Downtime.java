// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.pace.Workload;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The downtime of one migration, cut into steps that follow one another. Confined to the thread of the migration. */
final class Downtime {

    private final TimeSource clock;
    private final StepTimes steps;
    private Map<Step, Duration> plan = Map.of();
    private boolean began;
    private boolean down;
    private long start;
    private long stepStart;
    private Step step = Step.STOP;
    private Duration total = Duration.ZERO;
    private Duration configurations = Duration.ZERO;
    private Duration plannedEarly = Duration.ZERO;
    private Duration loadedEarly = Duration.ZERO;

    Downtime(TimeSource clock) {
        this.clock = clock;
        this.steps = new StepTimes(clock);
    }

    /**
     * The guest is about to be paused.
     *
     * @param loading how much of the transfer is expected to be the wait for destinations
     */
    void begin(Map<Step, Duration> planned, Duration loading) {
        plan = Map.copyOf(planned);
        plannedEarly = loading;
        start = clock.nanos();
        stepStart = start;
        began = true;
        down = true;
    }

    /** What was done since the last step belongs to this one. */
    void endStep(Step ended) {
        if (down) {
            long now = clock.nanos();
            steps.add(ended, now - stepStart);
            beginStep(ended.ordinal() + 1, now);
        }
    }

    private void beginStep(int ordinal, long now) {
        step = Step.values()[Math.min(ordinal, Step.START.ordinal())];
        stepStart = now;
    }

    /** The switchover was broken off: the present step ends, and what follows is the way back. */
    void turnBack() {
        if (down) {
            endStep(step);
            step = Step.ROLLBACK;
        }
    }

    /**
     * Devices saved and loaded at the same time, or did so until one failed: what the slowest needed for saving is
     * SAVE, what its destination needed to take that in belongs to LOAD, the rest is TRANSFER.
     *
     * @param configuring how long the guest needed to save the configurations, before the rest of its memory went
     */
    void endCarrying(Duration saving, Duration loading, Duration configuring) {
        if (down) {
            long now = clock.nanos();
            long saved = Math.min(saving.toNanos(), now - stepStart);
            long rest = now - stepStart - saved;
            steps.add(Step.SAVE, saved);
            steps.add(Step.TRANSFER, rest);
            loadedEarly = Duration.ofNanos(Math.min(loading.toNanos(), rest));
            configurations = configuring;
            beginStep(Step.LOAD.ordinal(), now);
        }
    }

    /** The guest and its devices run again, at one of the two ends. Does nothing when there is no downtime now. */
    void end() {
        if (down) {
            book();
            down = false;
        }
    }

    /** Up to now, which all belongs to the present step. */
    private void book() {
        long now = clock.nanos();
        steps.add(step, now - stepStart);
        stepStart = now;
        total = Duration.ofNanos(now - start);
    }

    /** Whether the guest is paused now. */
    boolean isNow() {
        return down;
    }

    /** The steps of a device that are to come; empty when the guest runs, on the way back, and without a plan. */
    Optional<Duration> stepsToCome(DeviceEnds device) {
        return down && step != Step.ROLLBACK ? device.stepsToCome(step) : Optional.empty();
    }

    /**
     * How long the rest of it is expected to take.
     *
     * @param transfer what the bytes that are left take, as far as known
     * @return empty when there is no plan for a step that is to come, as on the way back, or when the present one takes
     *     longer than planned
     */
    Optional<Duration> left(Duration transfer) {
        if (step == Step.ROLLBACK) {
            return Optional.empty();
        }
        Duration present = Duration.ofNanos(clock.nanos() - stepStart);
        Duration left = Duration.ZERO;
        for (Step each : StepTimes.FORWARD) {
            Duration planned = plan.get(each);
            boolean toCome = each.compareTo(step) >= 0;
            if (toCome && planned == null) {
                return Optional.empty();
            }
            left = toCome ? left.plus(planned) : left;
        }
        Duration presentPlanned = plan.get(step);
        if (step == Step.SAVE) {
            // Devices save and load at the same time, and the bytes tell how far that is.
            Duration both = presentPlanned.plus(plan.get(Step.TRANSFER));
            Duration rest = both.minus(present);
            return Optional.of(left.minus(both).plus(rest.compareTo(transfer) > 0 ? rest : transfer));
        }
        return presentPlanned.compareTo(present) >= 0 ? Optional.of(left.minus(present)) : Optional.empty();
    }

    /** The whole; up to now when it has not ended. */
    Duration total() {
        if (down) {
            book();
        }
        return total;
    }

    /**
     * What those steps took beyond the work of the devices that so many threads did. Of the transfer it is the
     * configurations alone, as the memory goes beside it: how much of it there is says more than how long it took.
     */
    Map<Step, Duration> beside(List<DeviceEnds> devices, int threads) {
        Map<Step, Duration> beside = new EnumMap<>(Step.class);
        for (Step each : List.of(Step.STOP, Step.LOAD, Step.START)) {
            List<Duration> work =
                    devices.stream().map(device -> device.times().of(each)).toList();
            Duration rest = steps.of(each).minus(Workload.time(work, threads));
            beside.put(each, rest.isNegative() ? Duration.ZERO : rest);
        }
        beside.put(Step.TRANSFER, configurations);
        return beside;
    }

    /** Their sum is the {@linkplain #total whole} as it was asked for last; empty when there was no downtime. */
    List<DowntimeStep> steps() {
        return began
                ? steps.against(step -> Optional.ofNullable(plan.get(step)), plannedEarly, loadedEarly)
                : List.of();
    }
}
