// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import dev.ferry.migration.DowntimeStep;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How long the steps of earlier downtimes took, by type of device and by whether it had saved before the pause, and how
 * fast memory went; what the next downtime is planned with. The middle one of the last few figures counts. Thread-safe.
 */
public final class StepHistory {

    /** More types of device than any host has; the one that was used longest ago is forgotten. */
    private static final int MAX_KINDS = 64;

    private static final int MAX_RUNS = 5;

    private final Map<Kind, Deque<Map<DowntimeStep.Step, Duration>>> kinds = new LinkedHashMap<>();
    private OptionalDouble memoryBytesPerSecond = OptionalDouble.empty();

    /**
     * What devices have in common whose steps take about as long.
     *
     * @param type of the device
     * @param preCopy whether it saved while its guest ran
     */
    public record Kind(String type, boolean preCopy) {}

    /** Adds the steps of one device in one completed migration. */
    public synchronized void add(Kind kind, Map<DowntimeStep.Step, Duration> steps) {
        Deque<Map<DowntimeStep.Step, Duration>> runs = kinds.remove(kind);
        if (runs == null) {
            runs = new ArrayDeque<>();
        }
        runs.addLast(Map.copyOf(steps));
        if (runs.size() > MAX_RUNS) {
            runs.removeFirst();
        }
        kinds.put(kind, runs);
        if (kinds.size() > MAX_KINDS) {
            kinds.remove(kinds.keySet().iterator().next());
        }
    }

    /** A migration was refused, perhaps because of these figures: the oldest is forgotten. */
    public synchronized void doubt(Kind kind) {
        Deque<Map<DowntimeStep.Step, Duration>> runs = kinds.get(kind);
        if (runs != null) {
            runs.pollFirst();
        }
    }

    /** How long a step took for such a device; empty when there was none. */
    public synchronized Optional<Duration> of(Kind kind, DowntimeStep.Step step) {
        Deque<Map<DowntimeStep.Step, Duration>> runs = kinds.get(kind);
        if (runs == null || runs.isEmpty()) {
            return Optional.empty();
        }
        List<Duration> sorted = runs.stream()
                .map(run -> run.getOrDefault(step, Duration.ZERO))
                .sorted()
                .toList();
        return Optional.of(sorted.get(sorted.size() / 2));
    }

    /** Adds how fast the memory of one guest went. */
    public synchronized void addMemoryRate(double bytesPerSecond) {
        double before = memoryBytesPerSecond.orElse(bytesPerSecond);
        memoryBytesPerSecond = OptionalDouble.of((before + bytesPerSecond) / 2);
    }

    /** How fast memory went; empty when none was carried. */
    public synchronized OptionalDouble memoryBytesPerSecond() {
        return memoryBytesPerSecond;
    }
}
