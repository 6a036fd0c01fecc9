// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

/** Why something failed: a bounded set, fit for scripts, metrics and alarms. */
public enum FailureCode {
    /** No device has this id. */
    DEVICE_NOT_FOUND,
    /** No migration has this id, or its report is not kept any more. */
    MIGRATION_NOT_FOUND,
    /** The device is in use by another migration, save, restore or state change, or a plan has asked it for long. */
    DEVICE_BUSY,
    /** The state machine has no way to the state asked for. */
    TRANSITION_REFUSED,
    /** Findings of the check stand against the migration. */
    CHECK_FAILED,
    /** A device, or the way to it, failed. */
    DEVICE_FAILED,
    /** The destination does not take the stream: malformed, unknown mandatory record, or refused by the device. */
    STREAM_REFUSED,
    /** The driver of a device was withdrawn meanwhile. */
    PROVIDER_GONE,
    /** The guest, or its memory, could not be paused, moved or resumed. */
    GUEST_FAILED,
    /**
     * The allowed downtime cannot be reached: the guest changes its memory too fast; too much is left for the downtime;
     * or the guest was paused already when a device announced new initial data, or a record of written pages was lost.
     */
    NOT_CONVERGING,
    /** The time allowed is over. */
    TIMEOUT,
    /** It was cancelled. */
    CANCELLED,
    /** The stream to read from or write to, a file for example, failed. */
    IO_FAILED,
    /** A defect of Ferry itself, or the Java machine lacks memory or threads. */
    INTERNAL
}
