// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationReport;
import java.util.Optional;

/** Whoever waited for a migration was interrupted, and the migration told to stop; the message says what came of it. */
final class MigrationInterruptedException extends InterruptedException {
    private static final long serialVersionUID = 1L;

    /** {@code report} is empty while the migration has not ended. */
    MigrationInterruptedException(Migration migration, Optional<MigrationReport> report, InterruptedException cause) {
        super(report.map(end -> "interrupted: %s is %s; `report %s` tells more".formatted(
                        migration.id(), end.result(), migration.id()))
                .orElseGet(() -> "interrupted: %s was told to stop and is still in %s; `jobs` follows it".formatted(
                        migration.id(), migration.phase())));
        initCause(cause);
    }
}
