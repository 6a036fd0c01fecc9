// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that is under way: migrations on threads of their own, and what runs on the threads of callers. Owns the
 * executor of the bundle. Thread-safe; nobody else's code is called under the lock.
 */
public final class Jobs {

    static final String THREAD_PREFIX = "ferry-migration-";

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    private static final String CANCELLED = "The migration was cancelled.";
    private static final String STOPPING = "The migration service is being stopped; try again when it is back.";
    private static final long IDLE_THREAD_SECONDS = 10;

    private final TimeSource clock;
    private final ThreadPoolExecutor executor;
    private final StepHistory history = new StepHistory();
    private final ReportHistory reports;
    private final Turns<MigrationJob> turns;
    private final Map<String, MigrationJob> migrations = new LinkedHashMap<>();
    private final Set<StopSignal> onCallersThreads = new HashSet<>();
    private long started;
    private boolean stopping;

    /** Runs nothing yet. */
    public Jobs(Settings settings, TimeSource clock) {
        this(settings, clock, Jobs::thread);
    }

    Jobs(Settings settings, TimeSource clock, ThreadFactory threads) {
        this.clock = clock;
        // Nothing queues here, so no migration waits for the work of another one. How many run is up to the turns, and
        // how many help each of them to its crew; one that is cancelled before its turn needs a thread as well.
        executor = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), threads);
        reports = new ReportHistory(settings.reportsKept());
        turns = new Turns<>(limits(settings));
    }

    /** One thing that is done on the thread of its caller. */
    @FunctionalInterface
    public interface Operation<T> {
        /** Does it, and ends early when the signal says so. */
        T run(StopSignal signal) throws MigrationException;
    }

    private static Turns.Limits limits(Settings settings) {
        return new Turns.Limits(
                settings.parallelMigrations(), settings.outgoingPerHost(), settings.incomingPerHost());
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(null, task, THREAD_PREFIX + "idle", 0, false);
        // On Java 17 that of the caller who happens to make a thread is inherited all the same, and kept alive by it.
        thread.setContextClassLoader(null);
        return thread;
    }

    /** Takes changed limits; what runs goes on. */
    public void update(Settings settings) {
        reports.setMost(settings.reportsKept());
        List<MigrationJob> next;
        synchronized (this) {
            turns.setLimits(limits(settings));
            next = turns.next();
        }
        launch(next);
    }

    TimeSource clock() {
        return clock;
    }

    /** Threads on which one migration does several things at a time. */
    Executor helpers(String migration) {
        return task -> executor.execute(() -> named(migration + "-transfer", task));
    }

    private static void named(String name, Runnable task) {
        Thread thread = Thread.currentThread();
        String pooled = thread.getName();
        thread.setName(THREAD_PREFIX + name);
        try {
            task.run();
        } finally {
            thread.setName(pooled);
        }
    }

    StepHistory history() {
        return history;
    }

    /**
     * Starts a migration when its turn comes.
     *
     * @param from hosts that it leaves
     * @param to hosts that it goes to
     * @throws IllegalStateException when the service is being stopped
     */
    Migration start(Function<String, MigrationJob> job, Set<String> from, Set<String> to) {
        MigrationJob migration;
        List<MigrationJob> next;
        synchronized (this) {
            if (stopping) {
                throw new IllegalStateException(STOPPING);
            }
            migration = job.apply("m" + ++started);
            migrations.put(migration.id(), migration);
            turns.add(migration, from, to);
            next = turns.next();
        }
        launch(next);
        return migration.handle();
    }

    /** Gives each a thread. One that gets none ends here and gives its turn on. */
    private void launch(List<MigrationJob> turn) {
        Deque<MigrationJob> next = new ArrayDeque<>(turn);
        for (MigrationJob job = next.poll(); job != null; job = next.poll()) {
            MigrationJob launched = job;
            try {
                executor.execute(() -> named(launched.id(), () -> run(launched)));
            } catch (RuntimeException | Error e) {
                // As a rule the machine has no more threads.
                next.addAll(end(launched, launched.failed(e)));
            }
        }
    }

    /** On a thread of its own: whatever happens in it, it ends, and others get its turn. */
    private void run(MigrationJob migration) {
        MigrationReport report = migration.lastResort();
        try {
            report = migration.run();
        } finally {
            launch(end(migration, report));
        }
    }

    /** Answers those whose turn it is now. */
    private List<MigrationJob> end(MigrationJob migration, MigrationReport report) {
        try {
            return ended(migration, report);
        } finally {
            migration.complete(report);
        }
    }

    private synchronized List<MigrationJob> ended(MigrationJob migration, MigrationReport report) {
        migrations.remove(migration.id());
        turns.ended(migration);
        reports.add(report);
        notifyAll();
        return turns.next();
    }

    /** Cancels a migration for a reason; one that waits ends at once, without a turn. */
    private boolean stop(MigrationJob migration, String why) {
        boolean accepted = migration.stop(why);
        boolean waited;
        synchronized (this) {
            waited = turns.withdraw(migration);
        }
        if (waited) {
            launch(List.of(migration));
        }
        return accepted;
    }

    /** The migrations that have not ended, oldest first. */
    public synchronized List<Migration> migrations() {
        return migrations.values().stream().<Migration>map(MigrationJob::handle).toList();
    }

    /** Asks one to stop. */
    public boolean cancel(String id) {
        MigrationJob migration = find(id);
        return migration != null && stop(migration, CANCELLED);
    }

    private synchronized MigrationJob find(String id) {
        return migrations.get(id);
    }

    /** The report of one that has ended. */
    public Optional<MigrationReport> report(String id) {
        return reports.find(id);
    }

    /** All reports that are kept, oldest first. */
    public List<MigrationReport> reports() {
        return reports.all();
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
                    boolean idle = awaitIdle(deadlineNanos);
                    // Not before: a migration that ends may need helpers.
                    executor.shutdown();
                    return executor.awaitTermination(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS) && idle;
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

    private void requestStop() {
        List<MigrationJob> underWay;
        synchronized (this) {
            stopping = true;
            onCallersThreads.forEach(signal -> signal.request(Failure.of(FailureCode.CANCELLED, STOPPING)));
            underWay = List.copyOf(migrations.values());
        }
        for (MigrationJob migration : underWay) {
            stop(migration, STOPPING);
        }
    }

    private synchronized boolean awaitIdle(long deadlineNanos) throws InterruptedException {
        while (!onCallersThreads.isEmpty() || !migrations.isEmpty()) {
            long millis = Duration.ofNanos(deadlineNanos - System.nanoTime()).toMillis();
            if (millis <= 0) {
                return false;
            }
            wait(millis);
        }
        return true;
    }
}
