// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads of the bundle, each named after what it does as long as it does it. Thread-safe. */
final class NamedThreads {

    private static final String PREFIX = "ferry-migration-";
    private static final long IDLE_SECONDS = 10;

    private final ThreadPoolExecutor executor;

    /** None yet; the factory may throw where the machine has no more. */
    NamedThreads(ThreadFactory factory) {
        // Nothing queues here, so no migration waits for the work of another one. How many run is up to the turns, and
        // how many help each of them to its crew; one that is cancelled before its turn needs a thread as well.
        executor = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), factory);
    }

    /** The usual factory. */
    static Thread idle(Runnable task) {
        Thread thread = new Thread(null, task, PREFIX + "idle", 0, false);
        // On Java 17 that of the caller who happens to make a thread is inherited all the same, and kept alive by it.
        thread.setContextClassLoader(null);
        return thread;
    }

    /**
     * Does something on a thread of its own.
     *
     * @throws RuntimeException after {@link #end}
     * @throws Error as a rule because the machine has no more threads
     */
    void execute(String name, Runnable task) {
        executor.execute(() -> named(name, task));
    }

    private static void named(String name, Runnable task) {
        Thread thread = Thread.currentThread();
        String pooled = thread.getName();
        thread.setName(PREFIX + name);
        try {
            task.run();
        } finally {
            thread.setName(pooled);
        }
    }

    /** Begins nothing more, and waits for what runs; answers whether all of it has ended. Interrupts nothing. */
    boolean end(long deadlineNanos) throws InterruptedException {
        executor.shutdown();
        return executor.awaitTermination(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    }
}
