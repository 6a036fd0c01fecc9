// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/** Takes the images of {@link MemorySaving}; the last one must be whole, with nothing behind it. */
final class MemoryResuming implements ResumingSession {
    private static final int IMAGE_BYTES = 1 + MemoryDriver.STATE_BYTES;

    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private boolean dead;
    private boolean closed;

    void die() {
        dead = true;
    }

    void requireComplete() throws DeviceException {
        byte[] images = taken.toByteArray();
        boolean whole = images.length > 0 && images.length % IMAGE_BYTES == 0;
        if (!whole || images[images.length - IMAGE_BYTES] != MemorySaving.LAST) {
            throw new DeviceException(Errno.EINVAL, "%d bytes are no whole state".formatted(images.length));
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (dead) {
            throw new DeviceException(Errno.ENODEV, "the session has ended");
        }
        byte[] bytes = new byte[from.remaining()];
        from.get(bytes);
        taken.writeBytes(bytes);
        return bytes.length;
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
