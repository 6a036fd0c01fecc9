// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import java.util.function.IntSupplier;

/**
 * Ends a command with an exit status other than 0, after everything there is to say was printed.
 *
 * <p>Whoever runs commands of several bundles sees several classes of this name; the status is read through {@link
 * IntSupplier}, which all share. Nothing is to be printed when it is caught; a shell that is to show
 * stack traces prints that of the cause, which is there unless the command itself printed it.
 */
public final class CommandExit extends RuntimeException implements IntSupplier {
    private static final long serialVersionUID = 1L;

    /** It could not be done. */
    public static final int FAILED = 1;
    /** The command was not called as it must be. */
    public static final int USAGE = 2;

    private final int status;

    CommandExit(int status, Throwable cause) {
        super("exit status " + status, cause, false, false);
        this.status = status;
    }

    /** The exit status, {@link #FAILED} or {@link #USAGE}. */
    @Override
    public int getAsInt() {
        return status;
    }
}
