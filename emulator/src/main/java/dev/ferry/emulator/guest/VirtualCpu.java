// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one processor of a guest: a thread that executes rounds of work whenever it was woken, and can be paused between
 * two rounds. A wake-up while it is paused is kept. Created paused. Thread-safe.
 */
final class VirtualCpu implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(VirtualCpu.class);
    /** A round takes milliseconds; a host that is too busy may keep the thread waiting for seconds. */
    private static final long LIMIT_SECONDS = 30;

    /** How long until the next round when there is none without a wake-up. */
    static final long NOT_BY_ITSELF = Long.MAX_VALUE;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Thread thread;
    private final BooleanSupplier round;
    private final LongSupplier nanosToNext;
    private boolean paused = true;
    private boolean woken;
    private boolean executing;
    private long rounds;
    private boolean closed;
    private String failure;

    /**
     * A processor that waits.
     *
     * @param round does a bounded piece of work and returns whether there is more to do at once
     */
    VirtualCpu(String name, BooleanSupplier round) {
        this(name, round, () -> NOT_BY_ITSELF);
    }

    /**
     * A processor that waits.
     *
     * @param nanosToNext after how many nanoseconds it executes a round that nobody woke it for; asked on its thread
     */
    VirtualCpu(String name, BooleanSupplier round, LongSupplier nanosToNext) {
        this.round = round;
        this.nanosToNext = nanosToNext;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Makes it execute at least one more round, once it is not paused. Does not wait. */
    void wake() {
        lock.lock();
        try {
            woken = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Lets it execute. */
    void resume() {
        lock.lock();
        try {
            paused = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Stops it between two rounds; when it returns nothing is executed. */
    void pause() throws IOException {
        lock.lock();
        try {
            paused = true;
            awaitRoundEnd();
        } finally {
            lock.unlock();
        }
    }

    boolean isPaused() {
        lock.lock();
        try {
            return paused;
        } finally {
            lock.unlock();
        }
    }

    /** Why it stopped for good; empty while it can execute. */
    Optional<String> failure() {
        lock.lock();
        try {
            return Optional.ofNullable(failure);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for the end of the round that is being executed, if any; everything it wrote can be seen then. */
    void passRound() throws IOException {
        lock.lock();
        try {
            long current = rounds;
            long nanos = TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
            while (executing && rounds == current) {
                if (nanos <= 0) {
                    throw new IOException(thread.getName() + " did not end a round within " + LIMIT_SECONDS + " s");
                }
                nanos = changed.awaitNanos(nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + thread.getName() + " was to end a round", e);
        } finally {
            lock.unlock();
        }
    }

    /** Ends the thread; when it returns normally nothing is executed any more. */
    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
            awaitRoundEnd();
        } finally {
            lock.unlock();
        }
        try {
            thread.join(TimeUnit.SECONDS.toMillis(LIMIT_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitRoundEnd() throws IOException {
        long nanos = TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        try {
            while (executing) {
                if (nanos <= 0) {
                    throw new IOException(thread.getName() + " did not stop within " + LIMIT_SECONDS + " s");
                }
                nanos = changed.awaitNanos(nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + thread.getName() + " was to stop", e);
        }
    }

    private void run() {
        boolean more = false;
        while (begin(more)) {
            more = executeRound();
        }
    }

    // What is wrong with the driver or the device must not end in a dead thread that nobody hears of.
    private boolean executeRound() {
        String fault = null;
        boolean more = false;
        try {
            more = round.getAsBoolean();
        } catch (Throwable e) {
            // Errors too: the message of one is often but a name, so its type belongs to it.
            fault = e instanceof RuntimeException && e.getMessage() != null ? e.getMessage() : e.toString();
            LOG.warn("{} stopped for good", thread.getName(), e);
        } finally {
            end(fault);
        }
        return more;
    }

    /** Waits until there is a round to execute; false when it is to end. */
    private boolean begin(boolean more) {
        lock.lock();
        try {
            woken |= more;
            boolean due = false;
            while (!closed && (paused || failure != null || !woken && !due)) {
                if (paused || failure != null) {
                    changed.awaitUninterruptibly();
                } else {
                    due = awaitDue();
                }
            }
            woken = false;
            executing = !closed;
            return executing;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until something may have changed, unless something is due by itself already; whether it is. */
    private boolean awaitDue() {
        long nanos = nanosToNext.getAsLong();
        if (nanos <= 0) {
            return true;
        }
        if (nanos == NOT_BY_ITSELF) {
            changed.awaitUninterruptibly();
            return false;
        }
        try {
            changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            LOG.debug("{} was interrupted, which means nothing to it", thread.getName(), e);
        }
        return false;
    }

    private void end(String fault) {
        lock.lock();
        try {
            executing = false;
            rounds++;
            failure = fault == null ? failure : fault;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
