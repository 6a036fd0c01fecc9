// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The standard streams of the process themselves. Those of {@link System} belong to the shell, which binds them per
 * thread: given to it as the streams of a session, they would lead back to that session.
 */
record ProcessStreams(
        InputStream in, PrintStream out, PrintStream err, Supplier<Optional<String>> loss, EndingOutput errors) {

    private static final String ERROR_ENCODING = "stderr.encoding";

    static ProcessStreams open() {
        WatchedOutput results = new WatchedOutput(new FileOutputStream(FileDescriptor.out));
        EndingOutput errors = new EndingOutput(new FileOutputStream(FileDescriptor.err));
        return new ProcessStreams(
                new FileInputStream(FileDescriptor.in),
                print(results, "stdout.encoding"),
                print(errors, ERROR_ENCODING),
                results::failure,
                errors);
    }

    /** Why some of the results did not arrive; empty when all did. */
    Optional<String> lost() {
        return loss.get();
    }

    /** Lets nothing reach standard error any more but the text that ends it. */
    void holdErrors() {
        errors.hold();
    }

    /** Writes a last text to standard error and closes it: what others still print there is lost. */
    void endErrors(String text) {
        try {
            errors.end(text.getBytes(encoding(ERROR_ENCODING)));
        } catch (IOException e) {
            // Standard error was the place to tell it.
        }
    }

    void flush() {
        out.flush();
        err.flush();
    }

    private static PrintStream print(OutputStream to, String encodingProperty) {
        return new PrintStream(new BufferedOutputStream(to), true, encoding(encodingProperty));
    }

    private static Charset encoding(String property) {
        return Charset.forName(System.getProperty(property, Charset.defaultCharset().name()));
    }
}
