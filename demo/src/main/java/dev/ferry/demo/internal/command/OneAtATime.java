// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.migration.FailureCode;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Lets one demonstration run at a time, since two would choose the same VFs, and ends it early. Thread-safe. */
final class OneAtATime {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();
    private Thread running;
    private boolean closed;

    /** The calling thread begins a demonstration. */
    void begin() throws CommandFailedException {
        lock.lock();
        try {
            if (closed) {
                throw new CommandFailedException(
                        FailureCode.CANCELLED, "the bundle of the demo is being stopped: try again when it is back");
            }
            if (running != null) {
                throw new CommandFailedException(
                        FailureCode.DEVICE_BUSY, "another demo is running; try again when it has finished");
            }
            running = Thread.currentThread();
        } finally {
            lock.unlock();
        }
    }

    /** The calling thread has ended what it began. */
    void end() {
        lock.lock();
        try {
            running = null;
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Lets no more begin, interrupts the one that runs and waits until it has put everything back.
     *
     * @return false when it had not within the limit
     */
    boolean close(long limitSeconds) {
        lock.lock();
        try {
            closed = true;
            long nanos = TimeUnit.SECONDS.toNanos(limitSeconds);
            // A command may itself stop the bundle it comes from.
            if (running != null && running != Thread.currentThread()) {
                running.interrupt();
                while (running != null && nanos > 0) {
                    nanos = ended.awaitNanos(nanos);
                }
            }
            return running == null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }
}
