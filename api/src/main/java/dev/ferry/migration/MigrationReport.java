// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.DeviceState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a migration ended. Immutable.
 *
 * @param migration id
 * @param result one of three
 * @param source id of the source device
 * @param destination id of the destination device
 * @param downtime from the pause of the source to the start of the destination, or back to RUNNING on the source; zero
 *     when the source was never stopped
 * @param total from start to end
 * @param stateBytes device data that were carried
 * @param memoryBytes guest memory that was carried
 * @param phases those that were entered, in order
 * @param sourceState state of the source afterwards; empty when it cannot be asked
 * @param destinationState state of the destination afterwards; empty when it cannot be asked
 * @param failure empty when completed
 */
public record MigrationReport(
        String migration,
        Result result,
        String source,
        String destination,
        Duration downtime,
        Duration total,
        long stateBytes,
        long memoryBytes,
        List<Phase> phases,
        Optional<DeviceState> sourceState,
        Optional<DeviceState> destinationState,
        Optional<Failure> failure) {

    /** Copies the list. */
    public MigrationReport {
        phases = List.copyOf(phases);
    }

    /** The three ways a migration ends. */
    public enum Result {
        /** The destination owns the device. */
        COMPLETED,
        /** It failed; {@link #failure} says whether the source runs again. */
        FAILED,
        /** It was cancelled before ownership passed; the source runs again. */
        CANCELLED
    }

    /** How long one phase took. */
    public record Phase(MigrationPhase phase, Duration duration) {}
}
