// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;

/** What both ends of a data transfer have: a channel that its user closes, and a life that the device's state ends. */
abstract class ImageSession implements Channel {

    final DriverAccess driver;
    final SessionDevice object;
    private final String kind;
    private volatile boolean dead;
    private volatile boolean closed;

    /** A session of a kind, as messages call it. */
    ImageSession(DriverAccess driver, SessionDevice object, String kind) {
        this.driver = driver;
        this.object = object;
        this.kind = kind;
    }

    /** Makes every later use fail with ENODEV; from any thread. */
    final void markDead() {
        dead = true;
    }

    /** Ends the session at the device, too. Only within the gate. */
    final void kill() {
        dead = true;
        object.end();
    }

    final boolean isDead() {
        return dead;
    }

    final void requireAlive() throws DeviceException {
        if (dead) {
            throw new DeviceException(
                    Errno.ENODEV, "the %s session of %s has ended".formatted(kind, driver.deviceId()));
        }
    }

    final void requireOpen() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public final boolean isOpen() {
        return !closed;
    }

    @Override
    public final void close() {
        closed = true;
    }
}
