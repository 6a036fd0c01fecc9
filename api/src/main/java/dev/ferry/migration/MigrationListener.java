// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import org.osgi.annotation.versioning.ConsumerType;

/** Follows one migration. */
@ConsumerType
@FunctionalInterface
public interface MigrationListener {

    /** Listens to nothing. */
    MigrationListener NONE = event -> {};

    /**
     * Takes one event; called on the thread of the migration, in order, so it must not block. An exception is logged
     * and changes nothing.
     */
    void onEvent(MigrationEvent event);
}
