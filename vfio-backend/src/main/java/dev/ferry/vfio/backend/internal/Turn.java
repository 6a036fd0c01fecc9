// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to change what is served, which one thread at a time has. A turn may last, since a kernel call does; so
 * another thread can leave a wish. It is granted at once, on that thread, when no thread has the turn; else by the
 * thread that has it, at the end of the turn. Thread-safe.
 */
final class Turn {
    private static final Logger LOG = LoggerFactory.getLogger(Turn.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Queue<Wish> wishes = new ConcurrentLinkedQueue<>();

    /** A change that a thread wants made without waiting for its turn. */
    static final class Wish {
        private final Runnable wanted;
        private final CountDownLatch granted = new CountDownLatch(1);
        private volatile boolean done;

        private Wish(Runnable wanted) {
            this.wanted = wanted;
        }

        private void grant() {
            try {
                wanted.run();
                done = true;
            } catch (Throwable e) {
                LOG.error("what was asked for in another's turn failed", e); // it must not end that turn
            } finally {
                granted.countDown();
            }
        }

        /** Whether it is done; false also when it failed. */
        boolean isDone() {
            return done;
        }

        /**
         * Waits until it is done; false when it failed, the time was over, or the thread was interrupted, which it then
         * stays.
         */
        boolean await(long millis) {
            return Turn.await(granted, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis)) && done;
        }
    }

    /** Waits for something until a time of {@link System#nanoTime}, as {@link Wish#await} does. */
    static boolean await(CountDownLatch latch, long deadline) {
        try {
            return latch.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return latch.getCount() == 0;
        }
    }

    /** Waits for the turn, so long at most; a thread that gets it must {@link #leave}. */
    boolean enter(long millis) {
        boolean entered;
        try {
            entered = lock.tryLock(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            entered = lock.tryLock();
        }
        return entered && begin();
    }

    /** A thread that an error throws out of here has no turn to end. */
    private boolean begin() {
        boolean begun = false;
        try {
            grantAll();
            begun = true;
            return true;
        } finally {
            if (!begun) {
                lock.unlock();
            }
        }
    }

    /** Ends a turn, and grants the wishes that were left while it lasted. */
    void leave() {
        try {
            grantAll();
        } finally {
            lock.unlock();
        }
        grantWhileNobodyDoes();
    }

    /** Leaves a wish for a change that does not last; does not wait for a turn. */
    Wish wish(Runnable wanted) {
        Wish wish = new Wish(wanted);
        wishes.add(wish);
        grantWhileNobodyDoes();
        return wish;
    }

    /** A thread that fails to lock leaves the wish to the one that has the lock, and comes here when it unlocks. */
    private void grantWhileNobodyDoes() {
        while (!wishes.isEmpty() && lock.tryLock()) {
            try {
                grantAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void grantAll() {
        for (Wish wish = wishes.poll(); wish != null; wish = wishes.poll()) {
            wish.grant();
        }
    }
}
