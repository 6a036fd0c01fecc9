// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A device that is being closed, on a thread of its own: a call that the kernel does not end keeps that thread waiting,
 * and nobody else longer than he wants. Thread-safe.
 */
final class Closing {
    private static final Logger LOG = LoggerFactory.getLogger(Closing.class);

    private final String id;
    private final Thread thread;

    private Closing(String id, Runnable close) {
        this.id = id;
        thread = new Thread(null, () -> run(id, close), "ferry-vfio-close", 0, false);
        thread.setContextClassLoader(Closing.class.getClassLoader());
        thread.setDaemon(true);
    }

    /** Begins to close. */
    static Closing begin(String id, Runnable close) {
        Closing closing = new Closing(id, close);
        closing.thread.start();
        return closing;
    }

    private static void run(String id, Runnable close) {
        try {
            close.run();
        } catch (RuntimeException e) {
            LOG.error("{} was not closed in order", id, e);
        }
    }

    /**
     * Waits for the end.
     *
     * @param deadline of {@link System#nanoTime}
     * @return whether it is closed
     */
    boolean await(long deadline) {
        try {
            // Zero would be for ever.
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.warn("{} is in a call that the kernel has not ended; it is closed behind that", id);
        }
        return !thread.isAlive();
    }
}
