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
     * Takes one event; called in order, as a rule on the thread of the migration, so it must not block. When the
     * machine has no more threads, the end comes on the thread of whoever started the migration or gave it its turn.
     * An exception is logged and changes nothing.
     */
    void onEvent(MigrationEvent event);
}
