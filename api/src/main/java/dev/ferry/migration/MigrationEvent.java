// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.Arc;

/**
 * Something that happened in a migration. Immutable.
 *
 * <p>{@code fsm-core} also posts the events to the OSGi Event Admin, with properties of JDK types only.
 */
public sealed interface MigrationEvent {

    /** Event Admin topic of {@link PhaseStarted}; properties {@link #MIGRATION} and {@link #PHASE}. */
    String TOPIC_PHASE = "dev/ferry/migration/PHASE";
    /** Event Admin topic of {@link ArcTaken}; properties {@link #MIGRATION}, {@link #DEVICE} and {@link #STATE}. */
    String TOPIC_STATE = "dev/ferry/migration/STATE";
    /** Event Admin topic of {@link Ended}; properties {@link #MIGRATION}, {@link #RESULT}, {@link #CODE}. */
    String TOPIC_ENDED = "dev/ferry/migration/ENDED";

    /** Event property, String: id of the migration. */
    String MIGRATION = "migration";
    /** Event property, String: name of a {@link MigrationPhase}. */
    String PHASE = "phase";
    /** Event property, String: id of a device. */
    String DEVICE = "device";
    /** Event property, String: name of the {@link dev.ferry.fsm.DeviceState} reached. */
    String STATE = "state";
    /** Event property, String: name of a {@link MigrationReport.Result}. */
    String RESULT = "result";
    /** Event property, String: name of a {@link FailureCode}; absent when completed. */
    String CODE = "code";

    /** Id of the migration. */
    String migration();

    /** A phase begins. */
    record PhaseStarted(String migration, MigrationPhase phase) implements MigrationEvent {}

    /** A device took one arc. */
    record ArcTaken(String migration, String device, Arc arc) implements MigrationEvent {}

    /**
     * Bytes were carried.
     *
     * @param stateBytes device data so far
     * @param memoryBytes guest memory so far
     */
    record Progress(String migration, long stateBytes, long memoryBytes) implements MigrationEvent {}

    /** The migration ended. */
    record Ended(String migration, MigrationReport report) implements MigrationEvent {}
}
