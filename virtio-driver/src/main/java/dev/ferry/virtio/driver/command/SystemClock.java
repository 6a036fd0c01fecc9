// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import java.util.concurrent.locks.LockSupport;

/** The clock of the virtual machine. */
public final class SystemClock implements AdminExchange.Clock {

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void pause(long nanos) {
        LockSupport.parkNanos(nanos);
    }
}
