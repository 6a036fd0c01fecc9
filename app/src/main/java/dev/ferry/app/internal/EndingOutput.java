// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Has an end, behind which nobody gets a byte, whoever is writing at that moment. Thread-safe. */
final class EndingOutput extends FilterOutputStream {

    private boolean ended;

    EndingOutput(OutputStream to) {
        super(to);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
        if (!ended) {
            out.write(bytes, offset, length);
        }
    }

    /** Writes the last bytes and closes what they went to; nothing when that was done before. */
    synchronized void end(byte[] last) throws IOException {
        if (ended) {
            return;
        }
        try {
            out.write(last);
        } finally {
            close();
        }
    }

    @Override
    public synchronized void close() throws IOException {
        ended = true;
        out.close();
    }
}
