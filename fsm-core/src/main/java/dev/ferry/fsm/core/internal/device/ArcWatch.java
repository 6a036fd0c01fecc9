// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;

/** Follows a device along its arcs; called on the thread of the job that uses the device. */
@FunctionalInterface
public interface ArcWatch {

    /** Watches nothing. */
    ArcWatch NONE = (device, arc) -> {};

    /** Before each arc; an exception leaves the device where it is. */
    default void before(String device, Arc arc) throws MigrationException {}

    /** After an arc was taken. */
    void taken(String device, Arc arc);

    /** After an arc was not taken. */
    default void failed(String device, Arc arc, Failure failure) {}
}
