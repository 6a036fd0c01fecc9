// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Errors;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import java.util.List;

/** How a migration that ended ends the command that waited for it. */
final class Reports {

    private Reports() {}

    /** Done when it completed, or passed as a dry run; else failed with the reason. */
    static CommandResult result(MigrationReport report, JsonObject document, String text) {
        return switch (report.result()) {
            case COMPLETED, PASSED -> CommandResult.done(document, text);
            case FAILED, CANCELLED -> {
                Failure failure = report.failure()
                        .orElseGet(() -> Failure.of(FailureCode.INTERNAL, "the migration ended without saying why"));
                document.add("error", Errors.document(failure));
                yield CommandResult.failed(document, text, failure);
            }
        };
    }

    /** A sentence about it, and behind it what else failed. */
    static List<String> sentences(String first, MigrationReport report) {
        return report.failure().map(failure -> Errors.sentences(first, failure.following())).orElse(List.of(first));
    }

    /** Why it failed, to go on after it. */
    static String reason(MigrationReport report) {
        return report.failure()
                .map(Errors::sentence)
                .map(sentence -> sentence.replaceFirst("\\.$", ""))
                .orElse("it does not say why");
    }
}
