// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonObject;
import picocli.CommandLine.Option;

/**
 * Base of every command: the options that all have, and the work.
 *
 * <p>A subclass is annotated with {@link picocli.CommandLine.Command} (name and one line of description), declares its
 * options and parameters as annotated fields, and is made anew for each run. Confined to the thread of the run.
 */
public abstract class FerryCommand {

    @Option(
            names = "--json",
            order = 90,
            description = "Print the result as one JSON document.")
    private boolean json;

    @Option(
            names = "--debug",
            order = 91,
            description = "Print the stack trace of an error.")
    private boolean debug;

    @Option(
            names = {"-h", "--help"},
            order = 92,
            usageHelp = true,
            description = "Print this help.")
    private boolean help;

    /**
     * Does the work.
     *
     * @param console for progress, on {@link Console#progress}; results go into the return value
     * @return what to print on standard output, and whether it was done
     * @throws UsageException for arguments that cannot be meant: exit status 2
     * @throws Exception for everything else: one sentence on standard error, exit status 1
     */
    protected abstract CommandResult call(Console console) throws Exception;

    /** What a document begins with, before {@code error}, when {@link #call} ended in an exception; nothing usually. */
    protected JsonObject failedDocument() {
        return new JsonObject();
    }

    /** Whether the result is printed as JSON. */
    protected final boolean isJson() {
        return json;
    }

    /** Whether the user wants to see stack traces. */
    protected final boolean isDebug() {
        return debug;
    }
}
