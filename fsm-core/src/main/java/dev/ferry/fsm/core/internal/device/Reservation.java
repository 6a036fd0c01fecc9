// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

/** The use of one device by one job, until it is closed. */
public final class Reservation implements AutoCloseable {

    private final Device device;
    private final StopSignal signal;
    private final Thread user;
    private final boolean question;

    Reservation(Device device, StopSignal signal, Thread user, boolean question) {
        this.device = device;
        this.signal = signal;
        this.user = user;
        this.question = question;
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

    /** Whether it is for one question, so that others wait for its end. */
    boolean isQuestion() {
        return question;
    }

    /** Gives the device back. */
    @Override
    public void close() {
        device.giveBack(this);
    }
}
