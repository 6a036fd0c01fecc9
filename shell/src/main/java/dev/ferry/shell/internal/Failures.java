// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;

/** Failures of the migration service in the words of a command, which knows the file that it gave. */
final class Failures {

    private Failures() {}

    /** The same failure in another sentence. */
    static MigrationException retold(MigrationException error, String sentence) {
        Failure failure = error.failure();
        return new MigrationException(
                new Failure(
                        failure.code(),
                        failure.phase(),
                        failure.device(),
                        failure.errno(),
                        sentence,
                        failure.following()),
                error);
    }
}
