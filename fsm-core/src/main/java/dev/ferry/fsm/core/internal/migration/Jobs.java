// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that is under way: migrations on threads of their own, and what runs on the threads of callers. Owns the
 * executor of the bundle. Thread-safe.
 */
public final class Jobs {

    static final String THREAD_PREFIX = "ferry-migration-";

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    private static final String STOPPING = "The migration service is being stopped; try again when it is back.";
    private static final long IDLE_THREAD_SECONDS = 10;

    private final ThreadPoolExecutor executor;
    private final Map<String, MigrationJob> migrations = new LinkedHashMap<>();
    private final Set<StopSignal> onCallersThreads = new HashSet<>();
    private long started;
    private boolean stopping;

    /** Runs this many migrations at a time; more wait for their turn. */
    public Jobs(int parallel) {
        executor = new ThreadPoolExecutor(
                parallel, parallel, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Jobs::thread);
        executor.allowCoreThreadTimeOut(true);
    }

    /** One thing that is done on the thread of its caller. */
    @FunctionalInterface
    public interface Operation<T> {
        /** Does it, and ends early when the signal says so. */
        T run(StopSignal signal) throws MigrationException;
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(null, task, THREAD_PREFIX + "idle", 0, false);
        // On Java 17 that of the caller who happens to make a thread is inherited all the same, and kept alive by it.
        thread.setContextClassLoader(null);
        return thread;
    }

    /** Changes how many migrations run at a time. */
    public void setParallel(int parallel) {
        // The core size may never exceed the maximum, in between neither.
        executor.setCorePoolSize(Math.min(parallel, executor.getMaximumPoolSize()));
        executor.setMaximumPoolSize(parallel);
        executor.setCorePoolSize(parallel);
    }

    /**
     * Starts a migration.
     *
     * @throws IllegalStateException when the service is being stopped
     */
    synchronized MigrationJob start(Function<String, MigrationJob> job) {
        if (stopping) {
            throw new IllegalStateException(STOPPING);
        }
        MigrationJob migration = job.apply("m" + ++started);
        executor.execute(migration);
        migrations.put(migration.id(), migration);
        return migration;
    }

    synchronized void ended(MigrationJob migration) {
        migrations.remove(migration.id());
    }

    /** The migrations that have not ended, oldest first. */
    public synchronized List<Migration> migrations() {
        return List.copyOf(migrations.values());
    }

    /** Does something on the calling thread, so that {@link #stop} knows of it. */
    public <T> T perform(Operation<T> operation) throws MigrationException {
        StopSignal signal = begin();
        try {
            return operation.run(signal);
        } finally {
            end(signal);
        }
    }

    private synchronized StopSignal begin() throws MigrationException {
        if (stopping) {
            throw new MigrationException(Failure.of(FailureCode.CANCELLED, STOPPING));
        }
        StopSignal signal = StopSignal.withoutLimit();
        onCallersThreads.add(signal);
        return signal;
    }

    private synchronized void end(StopSignal signal) {
        onCallersThreads.remove(signal);
        notifyAll();
    }

    /** Cancels everything and waits until it has put its devices in order, or the time is over; interrupts nothing. */
    public void stop(Duration bound) {
        long deadline = System.nanoTime() + bound.toNanos();
        requestStop();
        executor.shutdown();
        if (!awaitEnd(deadline)) {
            LOG.warn("Stopped while jobs were still putting their devices in order after {} ms; "
                    + "look at the states of the devices before using them", bound.toMillis());
        }
    }

    private boolean awaitEnd(long deadlineNanos) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    boolean migrationsEnded =
                            executor.awaitTermination(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
                    return awaitCallers(deadlineNanos) && migrationsEnded;
                } catch (InterruptedException e) {
                    // The devices matter more than haste; the wait is bounded anyway.
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized void requestStop() {
        stopping = true;
        Consumer<StopSignal> stop = signal -> signal.request(Failure.of(FailureCode.CANCELLED, STOPPING));
        onCallersThreads.forEach(stop);
        migrations.values().forEach(migration -> migration.stop(STOPPING));
    }

    private synchronized boolean awaitCallers(long deadlineNanos) throws InterruptedException {
        while (!onCallersThreads.isEmpty()) {
            long millis = Duration.ofNanos(deadlineNanos - System.nanoTime()).toMillis();
            if (millis <= 0) {
                return false;
            }
            wait(millis);
        }
        return true;
    }
}
