// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.migration.FailureCode;

/** What is said of ids that no migration has. */
final class Jobs {

    private Jobs() {}

    static CommandFailedException unknown(String id) {
        return new CommandFailedException(
                FailureCode.DEVICE_NOT_FOUND,
                "there is no migration '" + id
                        + "' in this process; `jobs` lists those under way, `report` those that have ended");
    }
}
