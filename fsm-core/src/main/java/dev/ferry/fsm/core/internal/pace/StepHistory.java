// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import dev.ferry.migration.DowntimeStep;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How long the steps of earlier downtimes took, by type of device and by whether it had saved before the pause, and how
 * fast memory went; what the next downtime is planned with. A new figure counts as much as all earlier ones together.
 * Thread-safe.
 */
public final class StepHistory {

    /** More types of device than any host has; the one that was used longest ago is forgotten. */
    private static final int MAX_KINDS = 64;

    private final Map<Kind, Map<DowntimeStep.Step, Duration>> kinds = new LinkedHashMap<>();
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
        Map<DowntimeStep.Step, Duration> known = kinds.remove(kind);
        Map<DowntimeStep.Step, Duration> mixed = new EnumMap<>(DowntimeStep.Step.class);
        steps.forEach((step, took) -> {
            Duration before = known == null ? null : known.get(step);
            mixed.put(step, before == null ? took : before.plus(took).dividedBy(2));
        });
        kinds.put(kind, mixed);
        if (kinds.size() > MAX_KINDS) {
            kinds.remove(kinds.keySet().iterator().next());
        }
    }

    /** How long a step took for such a device; empty when there was none. */
    public synchronized Optional<Duration> of(Kind kind, DowntimeStep.Step step) {
        return Optional.ofNullable(kinds.getOrDefault(kind, Map.of()).get(step));
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
