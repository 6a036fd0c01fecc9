// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.vendor;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import java.nio.ByteBuffer;

/** Gives the first half of a card's text while it runs, and the rest when it has stopped. */
final class CardSaving implements SavingSession {
    private ByteBuffer left;
    private int read;
    private boolean stopped;
    private boolean dead;

    CardSaving(byte[] content) {
        left = ByteBuffer.wrap(content, 0, content.length / 2);
    }

    void finish(byte[] content) {
        left = ByteBuffer.wrap(content, read, content.length - read);
        stopped = true;
    }

    void end() {
        dead = true;
    }

    @Override
    public int read(ByteBuffer into) throws DeviceException {
        requireAlive();
        int count = Math.min(into.remaining(), left.remaining());
        into.put(into.position(), left, left.position(), count);
        into.position(into.position() + count);
        left.position(left.position() + count);
        read += count;
        return count == 0 && stopped && into.hasRemaining() ? -1 : count;
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        requireAlive();
        if (stopped) {
            throw new DeviceException(Errno.EINVAL, "the card has stopped");
        }
        return new PrecopyInfo(left.remaining(), 0, false);
    }

    private void requireAlive() throws DeviceException {
        if (dead) {
            throw new DeviceException(Errno.ENODEV, "the session has ended");
        }
    }

    @Override
    public boolean isOpen() {
        return !dead;
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
