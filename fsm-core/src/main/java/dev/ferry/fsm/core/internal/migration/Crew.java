// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Does the work on several devices, and on the memory, at the same time, on threads that all migrations share. The
 * thread of the migration waits meanwhile and tells the progress. A single piece of work is done on that thread itself.
 * When one piece fails the others end at their next look at the gate. Confined to the thread of the migration.
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
        if (pieces.isEmpty()) {
            return;
        }
        if (pieces.size() == 1) {
            pieces.get(0).run(() -> {
                stop.check();
                tick.run();
            });
            return;
        }
        Batch batch = new Batch(pieces.size());
        for (Piece piece : pieces) {
            try {
                threads.execute(() -> batch.run(piece));
            } catch (RejectedExecutionException e) {
                // The service stops and its time is over; what is left is still put in order.
                batch.run(piece);
            }
        }
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
        private final CountDownLatch left;
        private final List<Throwable> failures = new ArrayList<>();

        Batch(int pieces) {
            left = new CountDownLatch(pieces);
        }

        void run(Piece piece) {
            try {
                piece.run(this::check);
            } catch (MigrationException | RuntimeException | Error e) {
                add(e);
            } finally {
                left.countDown();
            }
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
