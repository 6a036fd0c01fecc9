// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonObject;
import dev.ferry.migration.Failure;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a command has to say when it has ended by itself.
 *
 * @param document printed with {@code --json}
 * @param text printed without; lines, the last one ended or not; may be empty
 * @param complaints why the exit status is 1, sentences for standard error, a line each; empty when all was done
 */
public record CommandResult(JsonObject document, String text, List<String> complaints) {

    /** Refuses null. */
    public CommandResult {
        Objects.requireNonNull(document, "document");
        Objects.requireNonNull(text, "text");
        complaints = List.copyOf(complaints);
    }

    /** With at most one sentence about what failed. */
    public CommandResult(JsonObject document, String text, Optional<String> failure) {
        this(document, text, failure.stream().toList());
    }

    /** The first of the complaints. */
    public Optional<String> failure() {
        return complaints.stream().findFirst();
    }

    /** All was done: exit status 0. */
    public static CommandResult done(JsonObject document, String text) {
        return new CommandResult(document, text, List.of());
    }

    /** There is something to show, and yet it failed: exit status 1. */
    public static CommandResult failed(JsonObject document, String text, String failure) {
        return new CommandResult(document, text, List.of(failure));
    }

    /** The same with a failure that was reported, and all that failed after it. */
    public static CommandResult failed(JsonObject document, String text, Failure failure) {
        return new CommandResult(document, text, Errors.sentences(failure));
    }
}
