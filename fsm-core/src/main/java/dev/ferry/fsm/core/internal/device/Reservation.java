// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

/** The use of one device by one job, until it is closed. */
public final class Reservation implements AutoCloseable {

    private final Device device;
    private final StopSignal signal;
    private final Thread user;

    Reservation(Device device, StopSignal signal, Thread user) {
        this.device = device;
        this.signal = signal;
        this.user = user;
    }

    /** The device. */
    public Device device() {
        return device;
    }

    StopSignal signal() {
        return signal;
    }

    Thread user() {
        return user;
    }

    /** Gives the device back. */
    @Override
    public void close() {
        device.giveBack(this);
    }
}
