// SPDX-License-Identifier: Apache-2.0
package com.example.card;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;

/** Collects the state of a card, which takes it at the end of RESUMING. */
final class CardResuming implements ResumingSession {
    private final ByteBuffer received = ByteBuffer.allocate(Card.MAX_STATE_BYTES);
    private boolean refused;
    private boolean closed;
    /** A reset comes on any thread. */
    private volatile boolean dead;

    /** The text of the state that was written; fails unless it is whole, with nothing behind it. */
    String loaded() throws DeviceException {
        int length = received.position() - Card.LENGTH_BYTES;
        if (refused || length < 0 || received.getInt(0) != length) {
            throw new DeviceException(
                    Errno.EINVAL, received.position() + " bytes were loaded, which are not one whole state of a card");
        }
        return new String(received.array(), Card.LENGTH_BYTES, length, StandardCharsets.UTF_8);
    }

    /** The card has left RESUMING. */
    void end() {
        dead = true;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (dead) {
            throw new DeviceException(Errno.ENODEV, "the session has ended");
        }
        int count = from.remaining();
        // After a refusal nothing more is taken, not even what there would be room for.
        refused |= count > received.remaining();
        if (refused) {
            throw new DeviceException(
                    Errno.ENOMEM, "a card takes a state of " + Card.MAX_STATE_BYTES + " bytes at most");
        }
        received.put(from);
        return count;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        closed = true;
    }
}
