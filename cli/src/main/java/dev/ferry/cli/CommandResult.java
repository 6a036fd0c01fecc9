// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonObject;
import java.util.Objects;
import java.util.Optional;

/**
 * What a command has to say when it has ended by itself.
 *
 * @param document printed with {@code --json}
 * @param text printed without; lines, the last one ended or not; may be empty
 * @param failure why the exit status is 1, one sentence for standard error; empty when all was done
 */
public record CommandResult(JsonObject document, String text, Optional<String> failure) {

    /** Refuses null. */
    public CommandResult {
        Objects.requireNonNull(document, "document");
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(failure, "failure");
    }

    /** All was done: exit status 0. */
    public static CommandResult done(JsonObject document, String text) {
        return new CommandResult(document, text, Optional.empty());
    }

    /** There is something to show, and yet it failed: exit status 1. */
    public static CommandResult failed(JsonObject document, String text, String failure) {
        return new CommandResult(document, text, Optional.of(failure));
    }
}
