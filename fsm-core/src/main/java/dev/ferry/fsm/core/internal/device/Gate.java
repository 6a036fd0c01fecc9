// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.migration.MigrationException;

/** Asked between two pieces of work whether the next one may begin. */
@FunctionalInterface
public interface Gate {

    /** Fails with the reason why not. */
    void check() throws MigrationException;
}
