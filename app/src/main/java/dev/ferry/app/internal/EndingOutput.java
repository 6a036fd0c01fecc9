// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Has an end, behind which nobody gets a byte, whoever is writing at that moment; and before it a time in which nobody
 * does but who ends it. Thread-safe.
 */
final class EndingOutput extends FilterOutputStream {

    /** Not under the lock, which whoever writes to a pipe that nobody reads may keep. */
    private volatile boolean held;

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
        if (!ended && !held) {
            out.write(bytes, offset, length);
        }
    }

    /** From now on nothing is written but the last bytes. Returns at once. */
    void hold() {
        held = true;
    }

    /** Writes the last bytes and closes what they went to; nothing when that was done before. */
    synchronized void end(byte[] last) throws IOException {
        if (ended) {
            return;
        }
        try {
            out.write(last);
        } finally {
            finish();
        }
    }

    /** Ends it, unless it is held: a thread that is interrupted in a write closes what it writes to. */
    @Override
    public synchronized void close() throws IOException {
        if (!held) {
            finish();
        }
    }

    private void finish() throws IOException {
        ended = true;
        out.close();
    }
}
