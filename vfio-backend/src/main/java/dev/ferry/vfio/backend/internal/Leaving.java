// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device on its way out, on a thread of its own: its service is unregistered, then the device is closed. A
 * migration that is rolled back, or a call that the kernel does not end, keeps that thread waiting; every other thread
 * says how long it waits. Thread-safe.
 */
final class Leaving {
    private static final Logger LOG = LoggerFactory.getLogger(Leaving.class);

    private final String id;
    private final CountDownLatch withdrawn = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);

    Leaving(String id) {
        this.id = id;
    }

    /** Begins a thread for a device; throws what {@link Thread#start} does, then nothing has begun. */
    static void onThread(Runnable leaving) {
        Thread thread = new Thread(null, leaving, "ferry-vfio-leave", 0, false);
        thread.setContextClassLoader(Leaving.class.getClassLoader());
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Unregisters and closes, whatever happens: where no thread can be started, on the caller's, which then waits.
     *
     * @param threads runs each task on a thread of its own, or throws
     * @param unregister returns when no migration uses the device any more
     * @param close closes the device
     * @param gone called behind both, on this device's thread, if it has one
     */
    void begin(Executor threads, Runnable unregister, Runnable close, Runnable gone) {
        try {
            threads.execute(() -> {
                try {
                    leave(unregister, close);
                } finally {
                    gone.run();
                }
            });
        } catch (Throwable e) { // an OutOfMemoryError where the host allows no more threads
            LOG.warn("no thread could be started for {} to leave on; waiting for it here: {}", id, e.toString());
            leave(unregister, close);
        }
    }

    private void leave(Runnable unregister, Runnable close) {
        try {
            step(unregister, withdrawn);
        } finally {
            step(close, closed);
        }
    }

    private void step(Runnable step, CountDownLatch done) {
        try {
            step.run();
        } catch (Throwable e) {
            LOG.error("{} did not leave in order", id, e);
        } finally {
            done.countDown();
        }
    }

    /** Waits until no migration uses the device any more; false when the time is over, or the thread interrupted. */
    boolean awaitWithdrawn(long deadline) {
        return Turn.await(withdrawn, deadline);
    }

    /** Waits until the device is closed; false when the time is over, or the thread interrupted. */
    boolean awaitClosed(long deadline) {
        return Turn.await(closed, deadline);
    }

    /** What keeps the device, as one sentence. */
    String obstacle() {
        return id + (withdrawn.getCount() > 0
                ? " is still in use by a migration that is being ended; it will be closed after that"
                : " is in a call that has not returned from the kernel; it will be closed when it returns");
    }

    String id() {
        return id;
    }
}
