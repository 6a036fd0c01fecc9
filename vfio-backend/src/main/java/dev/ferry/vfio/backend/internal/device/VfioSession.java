// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.nio.channels.ClosedChannelException;

/**
 * What both kinds of session are made of: the data descriptor, and the two ways in which a session ends. Its user
 * closes it; the driver drops it, from any thread, when its state ends. Either way the descriptor is closed at once, or
 * behind the call that uses it.
 */
abstract class VfioSession implements AutoCloseable {
    final VfioDevice device;
    final DataDescriptor data;
    private volatile boolean closed;
    private volatile boolean dead;
    private volatile boolean failed;

    VfioSession(VfioDevice device, DataDescriptor data) {
        this.device = device;
        this.data = data;
    }

    /** The state of the session ended: every later use fails with ENODEV. */
    final void drop() {
        dead = true;
        data.close();
    }

    /** A transfer failed: what the device made of it is unknown, so nothing more may follow. */
    final void fail() {
        failed = true;
    }

    final boolean hasFailed() {
        return failed;
    }

    final void requireUsable() throws DeviceException, ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (dead) {
            throw ended();
        }
        if (failed) {
            throw new DeviceException(Errno.EIO, "the data transfer session of " + device.name() + " failed before");
        }
    }

    private DeviceException ended() {
        return new DeviceException(Errno.ENODEV, "the data transfer session of " + device.name() + " has ended");
    }

    /** Why the last transfer of data failed: by a call, or because the session ended before there was one. */
    final DeviceException failure(long result) {
        return data.called()
                .<DeviceException>map(call -> device.failure(call + " of the device's data", result))
                .orElseGet(this::ended);
    }

    public final boolean isOpen() {
        return !closed;
    }

    @Override
    public final void close() {
        closed = true;
        data.close();
    }
}
