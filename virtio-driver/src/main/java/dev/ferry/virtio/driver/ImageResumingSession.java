// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.stream.RecordDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/** Loads images into one member, each when its last byte has come. */
public final class ImageResumingSession implements ResumingSession {

    private final DriverAccess driver;
    private final SessionDevice object;
    private final RecordDecoder decoder;
    private volatile boolean dead;
    private volatile boolean closed;

    ImageResumingSession(DriverAccess driver, SessionDevice object, RecordDecoder decoder) {
        this.driver = driver;
        this.object = object;
        this.decoder = decoder;
    }

    /**
     * Checks that what was written is a whole state. Only within a step.
     *
     * @throws DeviceException EINVAL with what is missing
     */
    public void requireComplete() throws DeviceException {
        if (dead) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "the state written to %s was refused; reset the device to leave RESUMING"
                            .formatted(driver.deviceId()));
        }
        try {
            decoder.requireComplete();
        } catch (DeviceException e) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "the state written to %s is incomplete: %s".formatted(driver.deviceId(), e.getMessage()),
                    e);
        }
    }

    /** Makes every later use fail with ENODEV; from any thread. */
    void markDead() {
        dead = true;
    }

    /** Ends the session at the device, too. Only within the gate. */
    void kill() {
        dead = true;
        object.end();
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        return driver.inGate(() -> {
            if (dead) {
                throw new DeviceException(Errno.ENODEV, "the resuming session of " + driver.deviceId() + " has ended");
            }
            int count = from.remaining();
            boolean taken = false;
            try {
                decoder.write(from);
                taken = true;
            } finally {
                dead |= !taken;
            }
            return count;
        });
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
