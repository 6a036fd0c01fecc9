// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.device.Errno;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.List;
import java.util.Optional;

/**
 * Whoever waited for a migration was interrupted, and the migration told to stop; the message, which begins with {@code
 * interrupted: }, says what came of it and all that failed.
 */
final class MigrationInterruptedException extends InterruptedException {
    private static final long serialVersionUID = 1L;

    private final MigrationPhase phase;
    private final transient List<Failure> following;

    /**
     * @param phase where it was when it was interrupted
     * @param stopping whether it does stop, in words that go on after its id
     * @param report empty while the migration has not ended
     */
    MigrationInterruptedException(
            Migration migration,
            MigrationPhase phase,
            String stopping,
            Optional<MigrationReport> report,
            InterruptedException cause) {
        super("interrupted: "
                + report.map(MigrationInterruptedException::ended).orElseGet(() -> unended(migration, stopping)));
        this.phase = phase;
        this.following = report.map(ReportOutcome::failures).orElse(List.of());
        initCause(cause);
    }

    /** The same for scripts. */
    Failure failure() {
        return new Failure(
                FailureCode.CANCELLED,
                Optional.of(phase),
                Optional.empty(),
                Optional.<Errno>empty(),
                getMessage(),
                following);
    }

    private static String ended(MigrationReport report) {
        return String.join("; ", ReportOutcome.sentences(report));
    }

    // Neither a shell that goes on nor another process is sure to be there.
    private static String unended(Migration migration, String stopping) {
        return "%s %s and is still in %s; `devices` shows where %s is left".formatted(
                migration.id(), stopping, migration.phase(), migration.request().source());
    }
}
