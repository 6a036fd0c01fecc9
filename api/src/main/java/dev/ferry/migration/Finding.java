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
        /** A device lacks STOP_COPY. */
        NOT_MIGRATABLE,
        /** The source is not RUNNING. */
        SOURCE_NOT_RUNNING,
        /** The destination is in a state from which it cannot load. */
        DESTINATION_NOT_IDLE,
        /** Another migration, save or restore uses the device. */
        DEVICE_BUSY
    }
}
