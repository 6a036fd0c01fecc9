// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.pace.MemoryRate;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a downtime is expected to take, by step: those of the devices as in earlier migrations of their kind, the slowest
 * counts as they work at the same time; the transfer as long as the bytes that are left take. Immutable.
 *
 * @param steps those for which there is something to go by
 * @param bytes that are left
 * @param bytesPerSecond empty when unknown
 */
record DowntimePlan(Map<Step, Duration> steps, long bytes, OptionalDouble bytesPerSecond) {

    /**
     * Plans.
     *
     * @param kinds of the devices
     * @param memoryBytes that are left
     * @param stateBytes of devices
     * @param measured bytes per second in this migration
     */
    static DowntimePlan of(
            Collection<StepHistory.Kind> kinds,
            long memoryBytes,
            long stateBytes,
            OptionalDouble measured,
            Bandwidth limit,
            StepHistory history) {
        Map<Step, Duration> steps = new EnumMap<>(Step.class);
        for (Step step : Step.values()) {
            kinds.stream()
                    .flatMap(kind -> history.of(kind, step).stream())
                    .max(Duration::compareTo)
                    .ifPresent(longest -> steps.put(step, longest));
        }
        OptionalDouble rate = rate(measured.isPresent() ? measured : history.memoryBytesPerSecond(), limit);
        // Where it is known how long devices took, that says more than their size.
        long bytes = steps.isEmpty() ? memoryBytes + stateBytes : memoryBytes;
        if (rate.isPresent()) {
            steps.merge(Step.TRANSFER, MemoryRate.time(bytes, rate.getAsDouble()), DowntimePlan::longer);
        }
        return new DowntimePlan(Map.copyOf(steps), memoryBytes + stateBytes, rate);
    }

    private static OptionalDouble rate(OptionalDouble known, Bandwidth limit) {
        if (!limit.isLimited()) {
            return known;
        }
        return OptionalDouble.of(Math.min(known.orElse(Double.MAX_VALUE), limit.bytesPerSecond()));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) >= 0 ? one : other;
    }

    /** The whole downtime; empty when there is nothing to go by. */
    Optional<Duration> total() {
        return steps.containsKey(Step.TRANSFER)
                ? Optional.of(steps.values().stream().reduce(Duration.ZERO, Duration::plus))
                : Optional.empty();
    }

    /** What it is made from, for people. */
    String basis() {
        String rate = bytesPerSecond.isPresent()
                ? " at " + (long) bytesPerSecond.getAsDouble() + " bytes/s"
                : " at an unknown rate";
        String devices = steps.containsKey(Step.STOP)
                ? ", and the steps of the devices as they took before"
                : ", and nothing for the steps of the devices, as none of their kind was migrated before";
        return bytes + " bytes left" + rate + devices;
    }
}
