// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.io.OutputStream;
import java.io.PrintStream;

/**
 * What stands behind {@code System.out} while the application runs: standard output belongs to the results of commands,
 * so whatever else is printed goes to standard error. Another one stands behind {@code System.err}. Thread-safe.
 */
final class StrayOutput extends OutputStream {

    private final PrintStream to;
    private volatile boolean muted;

    StrayOutput(PrintStream to) {
        this.to = to;
    }

    /**
     * From now on nothing goes anywhere: the event admin tells on its way out that it was interrupted, and one sentence
     * stands for all that bundles log about an interruption.
     */
    void mute() {
        muted = true;
    }

    @Override
    public void write(int b) {
        if (!muted) {
            to.write(b);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        if (!muted) {
            to.write(bytes, offset, length);
        }
    }

    @Override
    public void flush() {
        to.flush();
    }
}
