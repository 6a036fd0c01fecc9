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
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that is under way: migrations on threads of their own, and what runs on the threads of callers. Owns the
 * threads of the bundle. Thread-safe; nobody else's code is called under the lock.
 */
public final class Jobs {

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    private static final String CANCELLED = "The migration was cancelled.";
    private static final String STOPPING = "The migration service is being stopped; try again when it is back.";

    private final TimeSource clock;
    private final NamedThreads threads;
    private final StepHistory history = new StepHistory();
    private final ReportHistory reports;
    private final Turns<MigrationJob> turns;
    private final Map<String, MigrationJob> migrations = new LinkedHashMap<>();
    private final Set<StopSignal> onCallersThreads = new HashSet<>();
    private long started;
    private boolean stopping;

    /** Runs nothing yet. */
    public Jobs(Settings settings, TimeSource clock) {
        this(settings, clock, NamedThreads::idle);
    }

    Jobs(Settings settings, TimeSource clock, ThreadFactory factory) {
        this.clock = clock;
        threads = new NamedThreads(factory);
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
        return task -> threads.execute(migration + "-transfer", task);
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
                threads.execute(launched.id(), () -> run(launched));
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
                    return threads.end(deadlineNanos) && idle;
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
