// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.Errors;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import java.nio.file.Path;

/** Failures of the migration service in the words of a command, which knows the file that it gave. */
final class Failures {

    private Failures() {}

    /** The same failure in another sentence: the format has places for the file, what was said, and what to do. */
    static MigrationException retold(MigrationException error, String format, Path file, String hint) {
        Failure failure = error.failure();
        String said = Errors.sentence(failure).replaceFirst("\\.$", "");
        return new MigrationException(
                new Failure(
                        failure.code(),
                        failure.phase(),
                        failure.device(),
                        failure.errno(),
                        format.formatted(file, said, hint),
                        failure.following()),
                error);
    }
}
