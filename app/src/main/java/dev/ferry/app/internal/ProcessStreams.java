// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;

/**
 * The standard streams of the process themselves. Those of {@link System} belong to the shell, which binds them per
 * thread: given to it as the streams of a session, they would lead back to that session.
 */
record ProcessStreams(InputStream in, PrintStream out, PrintStream err) {

    static ProcessStreams open() {
        return new ProcessStreams(
                new FileInputStream(FileDescriptor.in),
                print(FileDescriptor.out, "stdout.encoding"),
                print(FileDescriptor.err, "stderr.encoding"));
    }

    void flush() {
        out.flush();
        err.flush();
    }

    private static PrintStream print(FileDescriptor descriptor, String encodingProperty) {
        Charset encoding =
                Charset.forName(System.getProperty(encodingProperty, Charset.defaultCharset().name()));
        return new PrintStream(new BufferedOutputStream(new FileOutputStream(descriptor)), true, encoding);
    }
}
