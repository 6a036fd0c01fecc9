// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.pci.FunctionLock;
import dev.ferry.emulator.internal.pci.MsixMessage;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way into a function: works under its lock, and sends the interrupts that are due after the lock was released.
 * Thread-safe; a thread that is inside may enter again.
 */
final class FunctionGate {

    private static final Logger LOG = LoggerFactory.getLogger(FunctionGate.class);

    private final FunctionConfig config;
    private final FunctionRegisters registers;
    private final Duration sendersTimeout;
    private final FunctionLock lock = new FunctionLock();
    /** Guarded by the lock. */
    private boolean removed;

    /**
     * The gate of a function that is there.
     *
     * @param sendersTimeout bound of {@link #awaitSenders}
     */
    FunctionGate(FunctionConfig config, FunctionRegisters registers, Duration sendersTimeout) {
        this.config = config;
        this.registers = registers;
        this.sendersTimeout = sendersTimeout;
    }

    /** Does something, also when the function was pulled out. */
    <T> T locked(Supplier<T> action) {
        lock.enter();
        try {
            return action.get();
        } finally {
            leave();
        }
    }

    /** Does something unless the function was pulled out. */
    void perform(Runnable action) {
        locked(() -> {
            if (!removed) {
                action.run();
            }
            return removed;
        });
    }

    /**
     * Does something that may let queues be worked on, then works; others may have the lock between two rounds. With as
     * many rounds as queues each has had its turn; what is notified meanwhile is for the thread that notified.
     */
    void performAndServe(Runnable action) {
        boolean more = performAndServeOne(action);
        for (int round = 1; more && round < config.queues(); round++) {
            more = performAndServeOne(() -> {});
        }
    }

    private boolean performAndServeOne(Runnable action) {
        return locked(() -> {
            if (!removed) {
                action.run();
            }
            return !removed && registers.device().serve();
        });
    }

    /** The function is pulled out; for whoever is inside. */
    void setRemoved() {
        removed = true;
    }

    /** Whether the function was pulled out; for whoever is inside. */
    boolean isRemoved() {
        return removed;
    }

    /** Waits until no interrupt is on its way; for whoever is inside. False when that did not come about in time. */
    boolean awaitSenders() {
        return awaitSenders(sendersTimeout);
    }

    /** The same, with another bound. */
    boolean awaitSenders(Duration limit) {
        boolean done = lock.awaitSenders(limit.toNanos());
        if (!done) {
            LOG.warn("the driver of {} is still taking an interrupt; nothing waits for it any longer", config.id());
        }
        return done;
    }

    private void leave() {
        List<MsixMessage> due = lock.isOutermost() ? registers.takeDue() : List.of();
        lock.leave(due, registers.listener());
    }
}
