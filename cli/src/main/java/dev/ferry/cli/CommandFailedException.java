// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.FailureCode;

/** A command could not do what was asked; the message is the sentence for the user. Exit status 1. */
public final class CommandFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final FailureCode code;

    /** A failure without a cause of its own. */
    public CommandFailedException(FailureCode code, String message) {
        this(code, message, null);
    }

    /** A failure with its cause, seen with {@code --debug}; {@code cause} may be null. */
    public CommandFailedException(FailureCode code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** What kind of failure it is, for scripts. */
    public FailureCode code() {
        return code;
    }
}
