// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
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
record ProcessStreams(InputStream in, PrintStream out, PrintStream err, Supplier<Optional<String>> loss) {

    static ProcessStreams open() {
        WatchedOutput results = new WatchedOutput(new FileOutputStream(FileDescriptor.out));
        return new ProcessStreams(
                new FileInputStream(FileDescriptor.in),
                print(results, "stdout.encoding"),
                print(new FileOutputStream(FileDescriptor.err), "stderr.encoding"),
                results::failure);
    }

    /** Why some of the results did not arrive; empty when all did. */
    Optional<String> lost() {
        return loss.get();
    }

    void flush() {
        out.flush();
        err.flush();
    }

    private static PrintStream print(OutputStream to, String encodingProperty) {
        Charset encoding =
                Charset.forName(System.getProperty(encodingProperty, Charset.defaultCharset().name()));
        return new PrintStream(new BufferedOutputStream(to), true, encoding);
    }
}
