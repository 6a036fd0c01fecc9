// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.pace.MemoryRate;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.fsm.core.internal.pace.Workload;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a downtime is expected to take, by step: the devices need for theirs what they needed in earlier migrations of
 * their kind, as many at a time as there are threads; the transfer needs at least what all bytes that are left take at
 * the limit. Immutable.
 *
 * @param steps those for which there is something to go by
 * @param bytes that are left
 * @param bytesPerSecond empty when unknown
 */
record DowntimePlan(Map<Step, Duration> steps, long bytes, OptionalDouble bytesPerSecond) {

    /** A device that is to be stopped, saved and loaded, and how large its state is expected to be. */
    record Load(StepHistory.Kind kind, long stateBytes) {}

    /**
     * Plans.
     *
     * @param devices in the order of the request
     * @param threads how many devices, or the memory, are worked on at a time
     * @param memoryBytes that are left
     * @param measured bytes per second in this migration
     */
    static DowntimePlan of(
            List<Load> devices,
            int threads,
            long memoryBytes,
            OptionalDouble measured,
            Bandwidth limit,
            StepHistory history) {
        Map<Step, Duration> steps = new EnumMap<>(Step.class);
        for (Step step : StepTimes.FORWARD) {
            List<Duration> each = devices.stream()
                    .flatMap(device -> history.of(device.kind(), step).stream())
                    .toList();
            if (step != Step.TRANSFER && !each.isEmpty()) {
                steps.put(step, Workload.time(each, threads));
            }
        }
        OptionalDouble rate = rate(measured.isPresent() ? measured : history.memoryBytesPerSecond(), limit);
        long bytes = memoryBytes + devices.stream().mapToLong(Load::stateBytes).sum();
        transfer(devices, threads, memoryBytes, rate, history)
                .map(time -> limit.isLimited() ? longer(time, MemoryRate.time(bytes, limit.bytesPerSecond())) : time)
                .ifPresent(time -> steps.put(Step.TRANSFER, time));
        return new DowntimePlan(Map.copyOf(steps), bytes, rate);
    }

    /** The memory and each device as a piece of work; empty when one of them is not known. */
    private static Optional<Duration> transfer(
            List<Load> devices, int threads, long memoryBytes, OptionalDouble rate, StepHistory history) {
        List<Optional<Duration>> pieces = new ArrayList<>();
        if (memoryBytes > 0) {
            pieces.add(time(memoryBytes, rate));
        }
        for (Load device : devices) {
            // Where it is known how long such a device took, that says more than its size.
            pieces.add(history.of(device.kind(), Step.TRANSFER).or(() -> time(device.stateBytes(), rate)));
        }
        return pieces.stream().allMatch(Optional::isPresent)
                ? Optional.of(Workload.time(pieces.stream().flatMap(Optional::stream).toList(), threads))
                : Optional.empty();
    }

    private static Optional<Duration> time(long bytes, OptionalDouble rate) {
        return rate.isPresent() ? Optional.of(MemoryRate.time(bytes, rate.getAsDouble())) : Optional.empty();
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

    /** The steps beside the transfer, as far as there is something to go by. */
    Duration ofDevices() {
        return steps.entrySet().stream()
                .filter(step -> step.getKey() != Step.TRANSFER)
                .map(Map.Entry::getValue)
                .reduce(Duration.ZERO, Duration::plus);
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
