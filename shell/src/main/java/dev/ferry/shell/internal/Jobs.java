// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.migration.FailureCode;
import java.util.regex.Pattern;

/** What is said of ids that no migration has. */
final class Jobs {

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

    private Jobs() {}

    static CommandFailedException unknown(String id) {
        return new CommandFailedException(
                FailureCode.MIGRATION_NOT_FOUND,
                "there is no migration '" + id + "' in this process"
                        + (NUMBER.matcher(id).matches() ? " (ids begin with m, as in m" + id + ")" : "")
                        + "; `jobs` lists those under way, `report` those that have ended");
    }
}
