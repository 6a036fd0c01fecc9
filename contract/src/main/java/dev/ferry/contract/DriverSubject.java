// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.MigrationDriver;

/** What a vendor gives to the contract: two devices of one type, as migrations find them. */
public interface DriverSubject extends AutoCloseable {

    /** A device in RUNNING; the same object at every call. */
    MigrationDriver source();

    /** Another device of the same type, in RUNNING, that takes what is saved at the source. */
    MigrationDriver destination();

    /** The check is over. */
    @Override
    default void close() {
        // Nothing is held.
    }
}
