// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** How long the steps of a downtime take. Used by one thread at a time. */
final class StepTimes {

    /** Those of a switchover that is not broken off. */
    static final Set<Step> FORWARD = Collections.unmodifiableSet(EnumSet.range(Step.STOP, Step.START));

    private final TimeSource clock;
    private final Map<Step, Duration> times = new EnumMap<>(Step.class);

    StepTimes(TimeSource clock) {
        this.clock = clock;
    }

    /** Something that belongs to a step. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws MigrationException;
    }

    <T> T during(Step step, Work<T> work) throws MigrationException {
        long start = clock.nanos();
        try {
            return work.run();
        } finally {
            add(step, clock.nanos() - start);
        }
    }

    void add(Step step, long nanos) {
        times.merge(step, Duration.ofNanos(nanos), Duration::plus);
    }

    /** A source whose reading belongs to SAVE. */
    ByteSource saving(ByteSource source) {
        return into -> during(Step.SAVE, () -> source.read(into));
    }

    /** A sink whose writing belongs to TRANSFER, in {@link #against} to LOAD. */
    ByteSink transferring(ByteSink sink) {
        return from -> during(Step.TRANSFER, () -> {
            sink.write(from);
            return null;
        });
    }

    Duration of(Step step) {
        return times.getOrDefault(step, Duration.ZERO);
    }

    Map<Step, Duration> all() {
        return Map.copyOf(times);
    }

    /**
     * All steps with what was planned for them; the way back where there was one. What a destination needed to take in
     * what was written to it is a part of TRANSFER until here, as the memory goes beside it; told it is as LOAD.
     *
     * @param plannedLoading how much of the transfer that was planned to be
     * @param loading how much it was
     */
    List<DowntimeStep> against(
            Function<Step, Optional<Duration>> plan, Duration plannedLoading, Duration loading) {
        return Stream.of(Step.values())
                .filter(step -> FORWARD.contains(step) || times.containsKey(step))
                .map(step -> switch (step) {
                    case STOP, SAVE, START, ROLLBACK -> new DowntimeStep(step, plan.apply(step), of(step));
                    case TRANSFER -> new DowntimeStep(
                            step,
                            plan.apply(step).map(planned -> less(planned, plannedLoading)),
                            less(of(step), loading));
                    case LOAD -> new DowntimeStep(
                            step,
                            // Both parts of it have to be known.
                            plan.apply(Step.TRANSFER).flatMap(known -> plan.apply(step)).map(plannedLoading::plus),
                            of(step).plus(loading));
                })
                .toList();
    }

    private static Duration less(Duration whole, Duration part) {
        return whole.compareTo(part) > 0 ? whole.minus(part) : Duration.ZERO;
    }
}
