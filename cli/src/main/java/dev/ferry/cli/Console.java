// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import java.io.PrintStream;

/**
 * Where one run of a command writes: results to {@code out}, progress and errors to {@code err}.
 *
 * @param out standard output
 * @param err standard error
 */
public record Console(PrintStream out, PrintStream err) {

    /** The streams of the calling thread; a shell binds {@code System.out} and {@code System.err} per thread. */
    public static Console ofThread() {
        return new Console(System.out, System.err);
    }

    /** Says how far a command is; one line on standard error. */
    public void progress(String line) {
        err.println(line);
        err.flush();
    }
}
