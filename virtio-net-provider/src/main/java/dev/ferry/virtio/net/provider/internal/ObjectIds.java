// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The ids of device parts objects of one owner device: one pool for all members and both directions, because the owner
 * counts them together by the limit that was set; and the queue of those who wait for one, served in order.
 *
 * <p>An id that is given back goes to whoever waits longest, so that nobody is overtaken: while somebody waits, no id
 * is free. An id that is not given back is never used again. Thread-safe.
 */
final class ObjectIds {

    /** Stands for no id. */
    static final int NONE = -1;

    private final String ownerId;
    private final int limit;
    private final ObjectWait wait;
    private final LongSupplier nanoTime;
    private final BitSet taken;
    private final Deque<Waiter> waiting = new ArrayDeque<>();

    /** Somebody who waits for an id, or has got it. Guarded by the pool. */
    static final class Waiter {
        private final long deadline;
        private final long allowedMillis;
        private int id = NONE;
        private DeviceException failure;

        private Waiter(long deadline, long allowedMillis) {
            this.deadline = deadline;
            this.allowedMillis = allowedMillis;
        }
    }

    /** A pool of the ids 0 to {@code limit - 1}. */
    ObjectIds(String ownerId, int limit, ObjectWait wait, LongSupplier nanoTime) {
        this.ownerId = ownerId;
        this.limit = limit;
        this.wait = wait;
        this.nanoTime = nanoTime;
        this.taken = new BitSet(limit);
    }

    int limit() {
        return limit;
    }

    /**
     * Takes the lowest free id, without waiting.
     *
     * @throws DeviceException ENOSPC when there is none
     */
    synchronized int take() throws DeviceException {
        int id = takeFree();
        if (id == NONE) {
            throw exhausted(0);
        }
        return id;
    }

    private int takeFree() {
        int id = taken.nextClearBit(0);
        if (id >= limit) {
            return NONE;
        }
        taken.set(id);
        return id;
    }

    /** Takes a place in the queue; the time that was configured for waiting begins. */
    synchronized Waiter queueUp() {
        Waiter waiter = new Waiter(nanoTime.getAsLong() + wait.nanos(), wait.millis());
        waiter.id = takeFree();
        if (waiter.id == NONE) {
            waiting.addLast(waiter);
        }
        return waiter;
    }

    /**
     * Waits for an id, for this long at most; an interrupt does not end the wait, which is short, and is kept.
     *
     * @return the id, or NONE when the caller may look again
     * @throws DeviceException ENOSPC when the time that was configured is over, and the place in the queue with it; or
     *     what {@link #leave} was given
     */
    synchronized int await(Waiter waiter, long atMostNanos) throws DeviceException {
        long now = nanoTime.getAsLong();
        long end = now + Math.max(0, Math.min(atMostNanos, waiter.deadline - now));
        boolean interrupted = false;
        while (waiter.id == NONE && waiter.failure == null && now - end < 0) {
            try {
                TimeUnit.NANOSECONDS.timedWait(this, end - now);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            now = nanoTime.getAsLong();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (waiter.id == NONE && waiter.failure == null && now - waiter.deadline >= 0) {
            leave(waiter, exhausted(waiter.allowedMillis));
        }
        if (waiter.failure != null) {
            throw waiter.failure;
        }
        return waiter.id;
    }

    /** Gives up a place in the queue; an id that was got is given back by whoever has it. */
    synchronized void leave(Waiter waiter, DeviceException why) {
        if (waiter.id == NONE && waiter.failure == null) {
            waiting.remove(waiter);
            waiter.failure = why;
            notifyAll();
        }
    }

    /** Id that a waiter has got, or NONE. */
    synchronized int granted(Waiter waiter) {
        return waiter.id;
    }

    /** Returns an id under which the device has no object any more. */
    synchronized void giveBack(int id) {
        Waiter next = waiting.pollFirst();
        if (next == null) {
            taken.clear(id);
        } else {
            next.id = id;
            notifyAll();
        }
    }

    /** Ids taken now. */
    synchronized int taken() {
        return taken.cardinality();
    }

    private DeviceException exhausted(long waitedMillis) {
        String waited = waitedMillis > 0
                ? "none became free within %d ms: try again when another migration, save or restore has ended, or set "
                        + "object.wait.millis of %s higher"
                : "none is free: try again when another migration, save or restore has ended, or let migrations wait "
                        + "with object.wait.millis of %2$s";
        return new DeviceException(
                Errno.ENOSPC,
                ("all %d device parts objects of %s are in use, and ".formatted(limit, ownerId))
                        + waited.formatted(waitedMillis, ProviderConfiguration.PID));
    }
}
