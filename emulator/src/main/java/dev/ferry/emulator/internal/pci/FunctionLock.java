// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

import dev.ferry.emulator.control.InterruptListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one lock of a function. Messages that fell due while it was held are sent after it was released, and those on
 * their way can be waited for.
 */
public final class FunctionLock {

    private static final Logger LOG = LoggerFactory.getLogger(FunctionLock.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition senderDone = lock.newCondition();
    private final List<Thread> senders = new ArrayList<>(1);

    /** Takes the lock. */
    public void enter() {
        lock.lock();
    }

    /** Whether {@link #leave} will release the lock, rather than end an inner section of the same thread. */
    public boolean isOutermost() {
        return lock.getHoldCount() == 1;
    }

    /**
     * Releases the lock, then sends messages on this thread.
     *
     * @param due must be empty unless {@link #isOutermost}
     */
    public void leave(List<MsixMessage> due, InterruptListener listener) {
        if (due.isEmpty()) {
            lock.unlock();
            return;
        }
        senders.add(Thread.currentThread());
        lock.unlock();
        try {
            due.forEach(message -> send(message, listener));
        } finally {
            lock.lock();
            senders.remove(Thread.currentThread());
            senderDone.signalAll();
            lock.unlock();
        }
    }

    // A register access must not fail because of whoever listens on the other side, nor the next message be lost.
    private static void send(MsixMessage message, InterruptListener listener) {
        try {
            listener.messageSignalled(message.vector(), message.address(), message.data());
        } catch (RuntimeException | Error e) {
            LOG.warn("an interrupt listener failed; the interrupt of vector {} may be lost", message.vector(), e);
        }
    }

    /**
     * Waits, with the lock held, until no other thread is sending messages. A listener that itself waits for the caller
     * would never end, hence the bound.
     *
     * @return whether that came about in time
     */
    public boolean awaitSenders(long timeoutNanos) {
        long left = timeoutNanos;
        boolean interrupted = false;
        while (isSentElsewhere() && left > 0) {
            try {
                left = senderDone.awaitNanos(left);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !isSentElsewhere();
    }

    private boolean isSentElsewhere() {
        return senders.stream().anyMatch(sender -> sender != Thread.currentThread());
    }
}
