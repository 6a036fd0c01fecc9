// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Both ends of one device of a migration, and what was carried between them. Used by the thread of the migration, and
 * by one that works for it.
 */
final class DeviceEnds {

    private final Device source;
    private final Device destination;
    private final Gauge gauge = new Gauge();
    private final StepTimes times;
    private final Map<Step, Duration> plan = new EnumMap<>(Step.class);
    private final StepTimes rehearsal;
    private final Map<Step, Duration> estimates = new EnumMap<>(Step.class);
    private ByteSink loading;
    private boolean saving;

    /** Written by whoever works on the device, and shown in the progress meanwhile. */
    private volatile boolean acknowledged;

    private long stateBytes;

    DeviceEnds(Device source, Device destination, TimeSource clock) {
        this.source = source;
        this.destination = destination;
        this.times = new StepTimes(clock);
        this.rehearsal = new StepTimes(clock);
    }

    Device source() {
        return source;
    }

    Device destination() {
        return destination;
    }

    /** Ownership passes. */
    void handOver() {
        source.machine().custody().handOverTo(destination.machine().custody());
    }

    /** What was carried of its state. */
    Gauge gauge() {
        return gauge;
    }

    /** Times of its own during the downtime. */
    StepTimes times() {
        return times;
    }

    /** Where its state goes: the session of the destination. */
    ByteSink loading() {
        return loading;
    }

    void load(ByteSink into) {
        loading = into;
    }

    boolean has(MigrationFeature feature) {
        return source.features().contains(feature);
    }

    /** Whether it saves while its guest runs. */
    boolean isSavingEarly() {
        return saving;
    }

    void saveEarly() {
        saving = true;
    }

    /** Whether the destination has loaded the initial data, or there are none. Thread-safe. */
    boolean isAcknowledged() {
        return acknowledged;
    }

    void acknowledge(boolean loaded) {
        acknowledged = loaded;
    }

    /** How much it would save if it were stopped, as it said. */
    long stateBytes() {
        return stateBytes;
    }

    void expect(long bytesOfState) {
        stateBytes = bytesOfState;
    }

    /** Where the time is counted that the destination takes to make room before the downtime. */
    StepTimes rehearsal() {
        return rehearsal;
    }

    /** The destination has stopped to make room: the source will take about as long, and so will the start. */
    void rehearsed() {
        Optional.ofNullable(rehearsal.all().get(Step.STOP)).ifPresent(stop -> {
            estimate(Step.STOP, stop);
            estimate(Step.START, stop);
        });
    }

    /** What was seen so far says that a step will take so long. */
    void estimate(Step step, Duration time) {
        estimates.put(step, time);
    }

    /** What is to come in the downtime. */
    DowntimePlan.Load downtimeLoad() {
        return new DowntimePlan.Load(kind(), OptionalLong.of(stateBytes), Map.copyOf(estimates));
    }

    /** What its steps beside the transfer are planned to take, from the present one on; empty when one has no plan. */
    Optional<Duration> stepsToCome(Step present) {
        List<Step> toCome = DowntimePlan.OF_DEVICES.stream()
                .filter(step -> step.compareTo(present) >= 0)
                .toList();
        return plan.keySet().containsAll(toCome)
                ? Optional.of(toCome.stream().map(plan::get).reduce(Duration.ZERO, Duration::plus))
                : Optional.empty();
    }

    /** The downtime begins: what it is expected to take is what it took before. */
    void plan(StepHistory history) {
        DowntimePlan.Load load = downtimeLoad();
        for (Step step : StepTimes.FORWARD) {
            load.time(step, history).ifPresent(took -> plan.put(step, took));
        }
    }

    /** The steps of its own as they were planned and as they were. */
    List<DowntimeStep> steps() {
        return times.against(
                step -> Optional.ofNullable(plan.get(step)),
                plan.getOrDefault(Step.TRANSFER, Duration.ZERO),
                times.of(Step.TRANSFER));
    }

    /** What devices like this have in common. */
    StepHistory.Kind kind() {
        return new StepHistory.Kind(source.properties().type(), saving);
    }
}
