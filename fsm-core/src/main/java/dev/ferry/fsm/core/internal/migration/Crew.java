// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does the work on several devices, and on the memory, of one migration at the same time: on its thread, and on helpers
 * of its own. So it never waits for the work of another one. When one piece fails, those under way end at their next
 * look at the gate and the others are left. Confined to the thread of the migration.
 */
final class Crew {

    private static final Logger LOG = LoggerFactory.getLogger(Crew.class);
    private static final long TICK_MILLIS = 50;

    private final Executor threads;
    private final int helpers;
    private final StopSignal stop;
    private final Runnable tick;

    /**
     * At most so many threads help; {@code stop} ends the work early and is told the first failure, {@code tick} is
     * called while it goes on.
     */
    Crew(Executor threads, int helpers, StopSignal stop, Runnable tick) {
        this.threads = threads;
        this.helpers = helpers;
        this.stop = stop;
        this.tick = tick;
    }

    /** One piece of work; looks at the gate between its steps. */
    @FunctionalInterface
    interface Piece {
        void run(Gate gate) throws MigrationException;
    }

    /**
     * Does all pieces and returns when none is under way any more; none begins once the work is asked to stop.
     *
     * @throws MigrationException the first failure in time, with the others behind it
     */
    void run(List<Piece> pieces) throws MigrationException {
        runAll(pieces.stream().map(this::stoppable).toList());
    }

    private Piece stoppable(Piece piece) {
        return gate -> {
            stop.check();
            piece.run(gate);
        };
    }

    /** The same on the way back, and where there is no way back: whoever asks to stop, each piece is done. */
    void runAll(List<Piece> pieces) throws MigrationException {
        Batch batch = new Batch(pieces);
        call(Math.min(pieces.size() - 1, helpers), () -> batch.work(batch::check));
        try {
            batch.work(() -> {
                tick.run();
                batch.check();
            });
        } finally {
            batch.await();
        }
        batch.throwFirst();
    }

    private void call(int wanted, Runnable help) {
        for (int helper = 0; helper < wanted; helper++) {
            try {
                threads.execute(help);
            } catch (RuntimeException | Error e) {
                // The machine has no more threads, or the service stops: those there are do all of it.
                LOG.warn("{} of {} threads help: {}", helper, wanted, e.toString());
                return;
            }
        }
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
        private final List<Throwable> later = new ArrayList<>();
        private Throwable first;

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
            return first != null;
        }

        private void check() throws MigrationException {
            synchronized (this) {
                if (first != null) {
                    throw new Abandoned(Failures.of(first));
                }
            }
            stop.check();
        }

        private synchronized void add(Throwable e) {
            if (e instanceof Abandoned) {
                return;
            }
            if (first != null) {
                later.add(e);
            } else {
                // Takes no memory, as that may be what lacks: no failure may be lost.
                first = e;
                // Now, since others may be under way for long: who asks to stop meanwhile comes behind it.
                stop.request(Failures.of(e));
            }
        }

        /** Not interrupted: the devices matter more than haste, and every call of a driver is bounded. */
        void await() {
            boolean interrupted = false;
            boolean done = false;
            Runnable ticking = tick;
            while (!done) {
                try {
                    done = left.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
                    ticking.run();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (RuntimeException | Error e) {
                    // The devices are still in use, so the wait goes on.
                    add(e);
                    ticking = () -> {};
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        synchronized void throwFirst() throws MigrationException {
            if (first == null) {
                return;
            }
            if (later.isEmpty() && first instanceof MigrationException same) {
                throw same;
            }
            Failures all = new Failures(Failures.of(first));
            // All pieces see the same request to stop, which is told once.
            later.forEach(e -> all.add(Failures.of(e)));
            throw new MigrationException(all.toFailure(Optional.empty()), first);
        }
    }
}
