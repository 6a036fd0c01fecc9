// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.function.Supplier;

/** Gives images: a byte that tells whether it is the last one, and the state. */
final class MemorySaving implements SavingSession {
    static final byte MORE = 1;
    static final byte LAST = 2;

    private final Supplier<DeviceState> device;
    private final ByteArrayOutputStream images = new ByteArrayOutputStream();
    private int read;
    private boolean complete;
    private boolean dead;
    private boolean closed;

    MemorySaving(Supplier<DeviceState> device) {
        this.device = device;
    }

    void capture(boolean last) {
        images.write(last ? LAST : MORE);
        images.writeBytes(new byte[MemoryDriver.STATE_BYTES]);
        complete = last;
    }

    void die() {
        dead = true;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        requireAlive();
        int count = Math.min(into.remaining(), images.size() - read);
        into.put(images.toByteArray(), read, count);
        read += count;
        return count == 0 && complete && into.hasRemaining() ? -1 : count;
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        requireAlive();
        if (device.get() == DeviceState.STOP_COPY) {
            throw new DeviceException(Errno.EINVAL, "the device is stopped");
        }
        return new PrecopyInfo(images.size() - read, 0, false);
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
