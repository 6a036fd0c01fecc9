// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.stream.RecordDevice;

/**
 * One member within one data transfer session, with whatever it holds at the device for that. Used inside the driver's
 * gate alone.
 */
public interface SessionDevice extends RecordDevice {

    /**
     * Asks for the size of an image now and keeps it for the next {@link #imageSize}, which then asks nothing.
     *
     * @throws DeviceException as {@link #imageSize}
     */
    long refreshSize() throws DeviceException;

    /** Forgets a size that {@link #refreshSize} kept. */
    void forgetSize();

    /** Whether the last image did not fit its space, and more will be asked for the next time. */
    default boolean wantsMoreSpace() {
        return false;
    }

    /**
     * The session has ended: gives back what it holds at the device. A device that does not confirm that is logged. Every
     * later use fails with ENODEV; does nothing when called again.
     */
    void end();
}
