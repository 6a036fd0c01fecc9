// SPDX-License-Identifier: Apache-2.0
package com.example.card;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/**
 * Gives the first half of a card's state while the card runs, and the rest when it has stopped. A device that changes
 * while it runs would give again what has changed.
 */
final class CardSaving implements SavingSession {
    private final ByteBuffer state;
    private boolean finished;
    private boolean closed;
    /** A reset comes on any thread. */
    private volatile boolean dead;

    CardSaving(ByteBuffer state) {
        this.state = state.limit(state.capacity() / 2);
    }

    /** The card has stopped. */
    void finish() {
        state.limit(state.capacity());
        finished = true;
    }

    /** The card has left the states in which it is saved. */
    void end() {
        dead = true;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        requireAlive();
        int count = Math.min(into.remaining(), state.remaining());
        into.put(into.position(), state, state.position(), count);
        into.position(into.position() + count);
        state.position(state.position() + count);
        return count == 0 && finished && into.hasRemaining() ? -1 : count;
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        requireAlive();
        if (finished) {
            throw new DeviceException(Errno.EINVAL, "the card has stopped");
        }
        return new PrecopyInfo(state.remaining(), 0, false);
    }

    private void requireAlive() throws DeviceException {
        if (dead) {
            throw new DeviceException(Errno.ENODEV, "the session has ended");
        }
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
