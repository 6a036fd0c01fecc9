// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import dev.ferry.migration.DowntimeStep;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * How long the steps of earlier downtimes took, by type of device and by whether it had saved before the pause, and how
 * fast memory went; what the next downtime is planned with. Of each of the last few migrations one figure is kept, and
 * the middle one counts. Thread-safe.
 */
public final class StepHistory {

    /** More than any host has types of device and sizes of migration; the one used longest ago is forgotten. */
    private static final int MAX_KINDS = 64;

    private static final int MAX_RUNS = 5;

    private final Map<Key, Deque<Map<DowntimeStep.Step, Duration>>> kinds = new LinkedHashMap<>();
    private OptionalDouble memoryBytesPerSecond = OptionalDouble.empty();

    /** What the steps are known of. */
    public sealed interface Key permits Kind, Beside {}

    /**
     * What a downtime takes beside the work of its devices: to pause and resume the guest, to save and load
     * configurations, to wait for one another. A size that was not seen yet is not known.
     *
     * @param devices how many
     * @param guest whether there is one
     */
    public record Beside(int devices, boolean guest) implements Key {}

    /**
     * What devices have in common whose steps take about as long.
     *
     * @param type of the device
     * @param preCopy whether it saved while its guest ran
     */
    public record Kind(String type, boolean preCopy) implements Key {}

    /** Adds the steps of all devices of a kind in one completed migration: the longest of each step counts. */
    public synchronized void add(Key kind, List<Map<DowntimeStep.Step, Duration>> ofDevices) {
        Map<DowntimeStep.Step, Duration> longest = new EnumMap<>(DowntimeStep.Step.class);
        for (Map<DowntimeStep.Step, Duration> steps : ofDevices) {
            steps.forEach((step, time) -> longest.merge(step, time, StepHistory::longer));
        }
        Deque<Map<DowntimeStep.Step, Duration>> runs = kinds.remove(kind);
        if (runs == null) {
            runs = new ArrayDeque<>();
        }
        runs.addLast(Map.copyOf(longest));
        if (runs.size() > MAX_RUNS) {
            runs.removeFirst();
        }
        kinds.put(kind, runs);
        if (kinds.size() > MAX_KINDS) {
            kinds.remove(kinds.keySet().iterator().next());
        }
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) >= 0 ? one : other;
    }

    /** A migration of these kinds was refused, perhaps because of these figures: the oldest of each is forgotten. */
    public synchronized void doubt(Set<Key> refused) {
        for (Key kind : refused) {
            Deque<Map<DowntimeStep.Step, Duration>> runs = kinds.get(kind);
            if (runs != null) {
                runs.pollFirst();
            }
        }
    }

    /** How long a step took for such a device, or beside such devices; empty when there was none. */
    public synchronized Optional<Duration> of(Key kind, DowntimeStep.Step step) {
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
