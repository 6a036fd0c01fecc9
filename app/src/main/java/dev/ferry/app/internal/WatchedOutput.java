// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/** Remembers why a write failed, which a {@link java.io.PrintStream} does not tell. Thread-safe. */
final class WatchedOutput extends FilterOutputStream {

    private volatile IOException failure;

    WatchedOutput(OutputStream to) {
        super(to);
    }

    /** What the first write that failed failed with. */
    Optional<String> failure() {
        return Optional.ofNullable(failure).map(IOException::getMessage);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            if (failure == null) {
                failure = e;
            }
            throw e;
        }
    }
}
