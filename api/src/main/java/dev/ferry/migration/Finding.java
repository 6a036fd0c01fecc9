// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

/**
 * One result of the check before a migration. Immutable.
 *
 * @param code stable, for scripts
 * @param device id of the device it is about
 * @param message one sentence for a person
 */
public record Finding(Code code, String device, String message) {

    /** What can be found; each stands against the migration. */
    public enum Code {
        /** No device has this id. */
        DEVICE_NOT_FOUND,
        /** Source and destination are the same device. */
        SAME_DEVICE,
        /** The two ends are different types of device. */
        TYPE_MISMATCH,
        /** The two ends write and read different stream formats. */
        STREAM_FORMAT_MISMATCH,
        /** One device appears in two places of the request. */
        DUPLICATE_DEVICE,
        /** Of several devices of one guest one lacks P2P, so they cannot be stopped together. */
        P2P_MISSING,
        /** A device lacks STOP_COPY, or its driver says why it cannot be migrated. */
        NOT_MIGRATABLE,
        /** The source is not RUNNING, or could not be asked for its state. */
        SOURCE_NOT_RUNNING,
        /**
         * The destination is in a state from which it cannot load, or could not be asked for its state, or holds a
         * guest's state with which no device has run since, or may hold one, as nobody knows who stopped it.
         */
        DESTINATION_NOT_IDLE,
        /** Another migration, save, restore or state change uses the device, or a plan has asked it for long. */
        DEVICE_BUSY,
        /** Features of the source are not those of the destination, or the driver uses some that it does not offer. */
        FEATURES_MISMATCH,
        /** The state of the source has parts that the destination does not take. */
        PARTS_MISMATCH,
        /** The queues of the source differ in number from those of the destination, or are larger. */
        QUEUES_MISMATCH,
        /** Something else of the source is more than the destination takes. */
        LIMIT_EXCEEDED,
        /** The source writes records that the destination does not know. */
        RECORDS_MISMATCH,
        /** Devices are members of one owner device, which allows fewer sessions at a time than the migration needs. */
        TOO_FEW_SESSIONS,
        /** Nothing that a session needs is free, and the wait for it is over. */
        NO_FREE_SESSION,
        /** A device could not be asked what it is. */
        PROFILE_UNAVAILABLE
    }
}
