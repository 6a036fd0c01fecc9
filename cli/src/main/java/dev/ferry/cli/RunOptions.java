// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.MigrationRequest;
import picocli.CommandLine.Option;

/** Options of commands that begin migrations, and do not only plan one; a mixin. Confined to the thread of the run. */
public final class RunOptions {

    @Option(
            names = "--dry-run",
            description = "Do everything up to pausing the guest, then undo it.")
    private boolean dryRun;

    @Option(names = "--quiet", description = "Say nothing but the result, and errors.")
    private boolean quiet;

    /** The request with what was typed. */
    public MigrationRequest applyTo(MigrationRequest request) {
        return request.withDryRun(dryRun);
    }

    /** Whether nothing is to be said while it runs. */
    public boolean isQuiet() {
        return quiet;
    }
}
