// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Lets one operation at a time in. Thread-safe; not reentrant, and whoever leaves need not be who entered. */
final class Entry {
    private final String deviceId;
    private final Semaphore free = new Semaphore(1);

    /** Nobody is inside. */
    Entry(String deviceId) {
        this.deviceId = deviceId;
    }

    /**
     * Enters. An interrupt does not end the wait, which is bounded anyway: a caller that was asked to stop has to
     * unwind.
     *
     * @throws DeviceException EBUSY when the one inside did not leave in time
     */
    void enter(long timeoutNanos) throws DeviceException {
        if (!tryEnter(System.nanoTime() + timeoutNanos)) {
            throw new DeviceException(Errno.EBUSY, deviceId + " is still busy with another operation; try again");
        }
    }

    private boolean tryEnter(long deadline) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return free.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Enters if nobody is inside. */
    boolean tryEnter() {
        return free.tryAcquire();
    }

    /** Leaves. */
    void leave() {
        free.release();
    }
}
