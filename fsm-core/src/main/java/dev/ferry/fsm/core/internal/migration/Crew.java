// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Does the work on several devices, and on the memory, at the same time: on the thread of the migration, and on threads
 * that all migrations share, as many as are free. So a migration never waits for the long work of another one. When one
 * piece fails, those under way end at their next look at the gate and the others are left. Confined to the thread of the
 * migration.
 */
final class Crew {

    private static final long TICK_MILLIS = 50;

    private final Executor threads;
    private final Gate stop;
    private final Runnable tick;

    /** {@code stop} ends the work early, {@code tick} is called while it goes on. */
    Crew(Executor threads, Gate stop, Runnable tick) {
        this.threads = threads;
        this.stop = stop;
        this.tick = tick;
    }

    /** One piece of work; looks at the gate between its steps. */
    @FunctionalInterface
    interface Piece {
        void run(Gate gate) throws MigrationException;
    }

    /**
     * Does all pieces and returns when none is under way any more.
     *
     * @throws MigrationException the first failure in time, with the others behind it
     */
    void run(List<Piece> pieces) throws MigrationException {
        Batch batch = new Batch(pieces);
        for (int helpers = 1; helpers < pieces.size(); helpers++) {
            try {
                threads.execute(() -> batch.work(batch::check));
            } catch (RejectedExecutionException e) {
                // The service stops and its time is over; what is left is still put in order, on this thread.
                break;
            }
        }
        batch.work(() -> {
            tick.run();
            batch.check();
        });
        batch.await();
        batch.throwFirst();
    }

    /** Marks a piece that ended because of another one's failure. */
    private static final class Abandoned extends MigrationException {
        private static final long serialVersionUID = 1L;

        Abandoned(Failure first) {
            super(first);
        }
    }

    /** Pieces that are done at the same time. */
    private final class Batch {
        private final Queue<Piece> waiting;
        private final CountDownLatch left;
        private final List<Throwable> failures = new ArrayList<>();

        Batch(List<Piece> pieces) {
            waiting = new ConcurrentLinkedQueue<>(pieces);
            left = new CountDownLatch(pieces.size());
        }

        /** Does pieces until none waits any more. */
        void work(Gate gate) {
            for (Piece piece = waiting.poll(); piece != null; piece = waiting.poll()) {
                try {
                    if (!hasFailed()) {
                        piece.run(gate);
                    }
                } catch (MigrationException | RuntimeException | Error e) {
                    add(e);
                } finally {
                    left.countDown();
                }
            }
        }

        private synchronized boolean hasFailed() {
            return !failures.isEmpty();
        }

        private void check() throws MigrationException {
            synchronized (this) {
                if (!failures.isEmpty()) {
                    throw new Abandoned(Failures.of(failures.get(0)));
                }
            }
            stop.check();
        }

        private synchronized void add(Throwable e) {
            if (!(e instanceof Abandoned)) {
                failures.add(e);
            }
        }

        /** Not interrupted: the devices matter more than haste, and every call of a driver is bounded. */
        void await() {
            boolean interrupted = false;
            boolean done = false;
            while (!done) {
                try {
                    done = left.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
                    tick.run();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        synchronized void throwFirst() throws MigrationException {
            if (failures.isEmpty()) {
                return;
            }
            Failure first = Failures.of(failures.get(0));
            List<Failure> following = new ArrayList<>(first.following());
            for (Throwable later : failures.subList(1, failures.size())) {
                Failure failure = Failures.of(later);
                // All pieces see the same request to stop.
                if (failure != first) {
                    following.add(failure);
                }
            }
            throw following.isEmpty() && failures.get(0) instanceof MigrationException same
                    ? same
                    : new MigrationException(
                            new Failure(
                                    first.code(),
                                    first.phase(),
                                    first.device(),
                                    first.errno(),
                                    first.message(),
                                    following),
                            failures.get(0));
        }
    }
}
