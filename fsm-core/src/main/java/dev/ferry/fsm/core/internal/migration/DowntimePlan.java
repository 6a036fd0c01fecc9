// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.pace.MemoryRate;
import dev.ferry.fsm.core.internal.pace.Prediction;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.fsm.core.internal.pace.Workload;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a downtime is expected to take, by step: the devices need for theirs what they needed in earlier migrations of
 * their kind, or else so far in this one, as many at a time as there are threads; the transfer needs at least what all
 * bytes that are left take at the limit. Immutable.
 *
 * @param steps as far as there is something to go by
 * @param unknown steps for which there is nothing to go by, for a device at least
 * @param bytes that are known to be left
 * @param bytesPerSecond empty when unknown
 * @param loading how much of the transfer is the wait for a destination that takes in what was written
 */
record DowntimePlan(
        Map<Step, Duration> steps, Set<Step> unknown, long bytes, OptionalDouble bytesPerSecond, Duration loading) {

    /** All steps of a device beside the transfer. */
    static final Set<Step> OF_DEVICES = EnumSet.of(Step.STOP, Step.SAVE, Step.LOAD, Step.START);

    /**
     * A device that is to be stopped, saved and loaded.
     *
     * @param stateBytes how large its state is expected to be; empty when that is not known, which may be any size
     * @param estimates by what it did so far in this migration
     */
    record Load(StepHistory.Kind kind, OptionalLong stateBytes, Map<Step, Duration> estimates) {

        /** What a step is expected to take; empty when there is nothing to go by. */
        Optional<Duration> time(Step step, StepHistory history) {
            return history.of(kind, step).or(() -> Optional.ofNullable(estimates.get(step)));
        }
    }

    /**
     * What is to be done for the guest beside its devices.
     *
     * @param memoryBytes that are left
     * @param look what the trackers need to tell what was written at last; zero without any, and where it is not known
     * @param beside what such downtimes have in common
     */
    record Guest(long memoryBytes, Duration look, StepHistory.Beside beside) {}

    /**
     * Plans.
     *
     * @param devices in the order of the request
     * @param threads how many devices, or the memory, are worked on at a time
     * @param measured bytes per second in this migration
     */
    static DowntimePlan of(
            List<Load> devices,
            Guest guest,
            int threads,
            OptionalDouble measured,
            Bandwidth limit,
            StepHistory history) {
        OptionalDouble rate = rate(measured.isPresent() ? measured : history.memoryBytesPerSecond(), limit);
        long bytes = devices.stream()
                .flatMapToLong(device -> device.stateBytes().stream())
                .reduce(guest.memoryBytes(), MemoryRate::plus);
        Map<Step, Duration> steps = new EnumMap<>(Step.class);
        Set<Step> unknown = EnumSet.noneOf(Step.class);
        for (Step step : StepTimes.FORWARD) {
            List<Optional<Duration>> pieces = step == Step.TRANSFER
                    ? transfers(devices, guest, rate, history)
                    : devices.stream().map(device -> device.time(step, history)).toList();
            List<Duration> known = pieces.stream().flatMap(Optional::stream).toList();
            if (!known.isEmpty()) {
                steps.put(step, Workload.time(known, threads));
            }
            if (known.size() < pieces.size()) {
                unknown.add(step);
            }
        }
        if (limit.isLimited()) {
            steps.merge(Step.TRANSFER, MemoryRate.time(bytes, limit.bytesPerSecond()), DowntimePlan::longer);
            if (devices.stream().anyMatch(device -> device.stateBytes().isEmpty())) {
                unknown.add(Step.TRANSFER);
            }
        }
        steps.replaceAll((step, time) -> time.plus(beside(step, guest, history)));
        return new DowntimePlan(
                Map.copyOf(steps), Set.copyOf(unknown), bytes, rate, loading(devices, guest, rate, history));
    }

    /** What a step takes beside the work of the devices, where that is known. */
    private static Duration beside(Step step, Guest guest, StepHistory history) {
        return switch (step) {
            case STOP, LOAD, START -> history.of(guest.beside(), step).orElse(Duration.ZERO);
            // Before anything is carried.
            case TRANSFER -> guest.look();
            case SAVE, ROLLBACK -> Duration.ZERO;
        };
    }

    /** The memory and each device as a piece of work. */
    private static List<Optional<Duration>> transfers(
            List<Load> devices, Guest guest, OptionalDouble rate, StepHistory history) {
        List<Optional<Duration>> pieces = new ArrayList<>(transfers(guest, rate, history));
        devices.forEach(device -> pieces.add(transfer(device, rate, history)));
        return pieces;
    }

    /** One piece: the memory behind the configurations, as the guest takes one call at a time. None without both. */
    private static List<Optional<Duration>> transfers(Guest guest, OptionalDouble rate, StepHistory history) {
        Optional<Duration> configurations = history.of(guest.beside(), Step.TRANSFER);
        if (guest.memoryBytes() == 0) {
            return configurations.isPresent() ? List.of(configurations) : List.of();
        }
        return List.of(time(guest.memoryBytes(), rate).map(configurations.orElse(Duration.ZERO)::plus));
    }

    /** Where it is known how long such a device took, that says more than its size. */
    private static Optional<Duration> transfer(Load device, OptionalDouble rate, StepHistory history) {
        return device.time(Step.TRANSFER, history).or(() -> device.stateBytes().isPresent()
                ? time(device.stateBytes().getAsLong(), rate)
                : Optional.empty());
    }

    /** What the slowest destination needs, where that is more than the memory does. */
    private static Duration loading(List<Load> devices, Guest guest, OptionalDouble rate, StepHistory history) {
        Duration slowest = longest(devices.stream().map(device -> transfer(device, rate, history)).toList());
        return slowest.compareTo(longest(transfers(guest, rate, history))) > 0 ? slowest : Duration.ZERO;
    }

    private static Duration longest(List<Optional<Duration>> pieces) {
        return pieces.stream().flatMap(Optional::stream).reduce(Duration.ZERO, DowntimePlan::longer);
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

    /** The whole downtime; empty when there is nothing to go by for a part of it. */
    Optional<Duration> total() {
        return unknown.isEmpty() ? Optional.of(sum(steps.keySet())) : Optional.empty();
    }

    /** The whole downtime, or what it takes at least; empty when there is nothing to go by for any part of it. */
    Optional<Prediction> prediction() {
        return steps.isEmpty()
                ? Optional.empty()
                : Optional.of(new Prediction(sum(steps.keySet()), unknown.isEmpty(), basis()));
    }

    /** The steps that are wholly known. */
    Map<Step, Duration> planned() {
        Map<Step, Duration> planned = new HashMap<>(steps);
        planned.keySet().removeAll(unknown);
        return planned;
    }

    /** The steps beside the transfer, as far as there is something to go by. */
    Duration ofDevices() {
        return sum(OF_DEVICES);
    }

    private Duration sum(Set<Step> some) {
        return some.stream()
                .flatMap(step -> Optional.ofNullable(steps.get(step)).stream())
                .reduce(Duration.ZERO, Duration::plus);
    }

    /** What it is made from, for people. */
    String basis() {
        String rate = bytesPerSecond.isPresent()
                ? " at " + (long) bytesPerSecond.getAsDouble() + " bytes/s"
                : " at an unknown rate";
        return bytes + " bytes left" + rate + ", and " + basisOfDevices();
    }

    private String basisOfDevices() {
        if (unknown.isEmpty()) {
            return "the steps of the devices as they took before";
        }
        String why = ", as no such device was migrated before";
        if (unknown.containsAll(OF_DEVICES)) {
            return "nothing for the steps of the devices" + why;
        }
        String missing = unknown.stream().sorted().map(Step::name).collect(Collectors.joining(" and "));
        return "the steps of the devices as this migration shows them so far, but not all of " + missing + why;
    }
}
