// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * How long a migration may take up to COMMIT; from START on no time counts any more. Immutable.
 *
 * <p>Every clock starts when what it measures really starts: the time in total when the migration's turn has come, that
 * of a phase when the phase is entered, that without progress when SETUP is entered and again with each progress. A
 * call of a driver is never interrupted, so a timeout acts when the call has returned.
 *
 * <p><b>Progress</b> is what brings a migration nearer to its end: a phase that is entered, a reset, an arc that a
 * device takes, and bytes that have to be carried before it can end. These are memory, initial data of devices, and all
 * data after the pause. Changed data of a device that saves while its guest runs do not count as progress, as it can
 * give them for ever; nor does memory that is carried again while the migration waits for nothing but initial data.
 * Whether carrying written memory again leads to an end is judged round by round, see {@link Convergence}.
 *
 * @param total for the whole migration; more than zero
 * @param noProgress without progress; more than zero
 * @param phases of single phases; those left out have no time of their own
 */
public record Timeouts(Duration total, Duration noProgress, Map<MigrationPhase, Duration> phases) {

    /** 10 minutes in total, 30 s without progress, no time for single phases. */
    public static final Timeouts DEFAULT = new Timeouts(Duration.ofMinutes(10), Duration.ofSeconds(30), Map.of());

    /** Copies the map, in the order of the phases; refuses times that are not positive, and those from START on. */
    public Timeouts {
        requirePositive(total);
        requirePositive(noProgress);
        Map<MigrationPhase, Duration> copy = new EnumMap<>(MigrationPhase.class);
        phases.forEach((phase, allowed) -> {
            requirePositive(allowed);
            if (phase.compareTo(MigrationPhase.COMMIT) > 0) {
                throw new IllegalArgumentException("no time counts any more in " + phase);
            }
            copy.put(phase, allowed);
        });
        phases = Collections.unmodifiableMap(copy);
    }

    /** The same with another time in total. */
    public Timeouts withTotal(Duration allowed) {
        return new Timeouts(allowed, noProgress, phases);
    }

    /** The same with another time without progress. */
    public Timeouts withNoProgress(Duration allowed) {
        return new Timeouts(total, allowed, phases);
    }

    /** The same with a time for one phase. */
    public Timeouts withPhase(MigrationPhase phase, Duration allowed) {
        Map<MigrationPhase, Duration> more = new EnumMap<>(MigrationPhase.class);
        more.putAll(phases);
        more.put(phase, allowed);
        return new Timeouts(total, noProgress, more);
    }

    private static void requirePositive(Duration allowed) {
        if (allowed.isNegative() || allowed.isZero()) {
            throw new IllegalArgumentException("a timeout must be more than zero: " + allowed);
        }
    }
}
