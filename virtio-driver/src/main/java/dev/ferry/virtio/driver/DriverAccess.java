// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;

/** What a session needs of the driver that opened it. */
public interface DriverAccess {

    /** An operation inside the gate. */
    @FunctionalInterface
    interface GatedOperation<T> {
        T run() throws DeviceException;
    }

    /** Id of the device, for messages. */
    String deviceId();

    /** Runs an operation while no other may change the state, and finishes a reset that came meanwhile. */
    <T> T inGate(GatedOperation<T> operation) throws DeviceException;

    /**
     * Checks that pre-copy information may be asked for.
     *
     * @throws DeviceException EINVAL outside PRE_COPY and PRE_COPY_P2P
     */
    void requirePreCopy() throws DeviceException;
}
