// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.migration.MigrationException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gets the session tickets of all devices of one job, before any of them is disturbed.
 *
 * <p>Jobs that need several tickets of one owner device must not wait for each other: so a job joins all queues before
 * the next one joins any, and as each queue is served in order, the job that came first never waits for a later one.
 * Thread-safe; one per registry.
 */
public final class SessionAdmission {

    /** A driver that does not return from joining its queue costs others the order, but does not hold them up. */
    private static final long ORDER_WAIT_SECONDS = 2;

    private final ReentrantLock order = new ReentrantLock(true);

    SessionAdmission() {}

    /**
     * Waits for all tickets, as long as the drivers allow; they are given back with the reservations of the devices.
     *
     * @param devices whose reservations the caller holds
     * @throws MigrationException DEVICE_FAILED with ENOSPC when nothing is free, or ENODEV; PROVIDER_GONE; what the
     *     signal of the job throws
     */
    public void admit(List<Device> devices) throws MigrationException {
        boolean ordered = lock();
        try {
            for (Device device : devices) {
                device.machine().place().request();
            }
        } finally {
            if (ordered) {
                order.unlock();
            }
        }
        for (Device device : devices) {
            device.machine().place().await(device.signal());
        }
    }

    private boolean lock() {
        try {
            return order.tryLock(ORDER_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
