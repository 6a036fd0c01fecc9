// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.Arc;
import java.time.Duration;

/**
 * Something that happened in a migration. Immutable.
 *
 * <p>{@code fsm-core} also posts the events to the OSGi Event Admin, with properties of JDK types only.
 */
public sealed interface MigrationEvent {

    /** Event Admin topic of {@link PhaseStarted}; properties {@link #MIGRATION} and {@link #PHASE}. */
    String TOPIC_PHASE = "dev/ferry/migration/PHASE";
    /** Event Admin topic of {@link PhaseEnded}; properties {@link #MIGRATION} and {@link #PHASE}. */
    String TOPIC_PHASE_ENDED = "dev/ferry/migration/PHASE_ENDED";
    /** Event Admin topic of {@link ArcStarting}; properties {@link #MIGRATION}, {@link #DEVICE} and {@link #STATE}. */
    String TOPIC_STATE_STARTING = "dev/ferry/migration/STATE_STARTING";
    /** Event Admin topic of {@link Decided}; properties {@link #MIGRATION}, {@link #DECISION} and {@link #MESSAGE}. */
    String TOPIC_DECISION = "dev/ferry/migration/DECISION";
    /** Event Admin topic of {@link ArcTaken}; properties {@link #MIGRATION}, {@link #DEVICE} and {@link #STATE}. */
    String TOPIC_STATE = "dev/ferry/migration/STATE";
    /**
     * Event Admin topic of {@link ArcFailed}; properties {@link #MIGRATION}, {@link #DEVICE}, {@link #STATE},
     * {@link #CODE} and {@link #MESSAGE}.
     */
    String TOPIC_STATE_FAILED = "dev/ferry/migration/STATE_FAILED";
    /** Event Admin topic of {@link Ended}; properties {@link #MIGRATION}, {@link #RESULT}, {@link #CODE}. */
    String TOPIC_ENDED = "dev/ferry/migration/ENDED";

    /** Event property, String: id of the migration. */
    String MIGRATION = "migration";
    /** Event property, String: name of a {@link MigrationPhase}. */
    String PHASE = "phase";
    /** Event property, String: id of a device. */
    String DEVICE = "device";
    /** Event property, String: name of the {@link dev.ferry.fsm.DeviceState} reached, about to be, or not reached. */
    String STATE = "state";
    /** Event property, String: name of a {@link Decision.Kind}. */
    String DECISION = "decision";
    /** Event property, String: one sentence for people. */
    String MESSAGE = "message";
    /** Event property, String: name of a {@link MigrationReport.Result}. */
    String RESULT = "result";
    /** Event property, String: name of a {@link FailureCode}; absent when nothing failed. */
    String CODE = "code";

    /** Id of the migration. */
    String migration();

    /** A phase begins. */
    record PhaseStarted(String migration, MigrationPhase phase) implements MigrationEvent {}

    /** A phase is over, also when it failed. */
    record PhaseEnded(String migration, MigrationPhase phase, Duration duration) implements MigrationEvent {}

    /** A device is about to take an arc; {@link ArcTaken} or {@link ArcFailed} follows. */
    record ArcStarting(String migration, String device, Arc arc) implements MigrationEvent {}

    /** A device took an arc. */
    record ArcTaken(String migration, String device, Arc arc) implements MigrationEvent {}

    /**
     * A device did not take an arc.
     *
     * @param failure why; that of another device when this one was not tried because of it
     */
    record ArcFailed(String migration, String device, Arc arc, Failure failure) implements MigrationEvent {}

    /** How far it is: ten times a second at most, and after each round, after the last data and at the end. */
    record Progress(String migration, MigrationProgress progress) implements MigrationEvent {}

    /** Something was decided. */
    record Decided(String migration, Decision decision) implements MigrationEvent {}

    /** The migration ended. */
    record Ended(String migration, MigrationReport report) implements MigrationEvent {}
}
