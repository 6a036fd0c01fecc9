// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import java.util.concurrent.atomic.AtomicLong;

/** How many bytes of something were carried and how many are known to be left. Thread-safe. */
final class Gauge {

    private final AtomicLong preCopy = new AtomicLong();
    private final AtomicLong switchover = new AtomicLong();
    private final AtomicLong remaining = new AtomicLong();
    private volatile boolean stopped;

    /** From now on bytes count as carried during the downtime. */
    void stop() {
        stopped = true;
    }

    void carry(long bytes) {
        (stopped ? switchover : preCopy).addAndGet(bytes);
        remaining.accumulateAndGet(bytes, (left, carried) -> Math.max(0, left - carried));
    }

    void setRemaining(long bytes) {
        remaining.set(bytes);
    }

    long remaining() {
        return remaining.get();
    }

    long preCopyBytes() {
        return preCopy.get();
    }

    long switchoverBytes() {
        return switchover.get();
    }

    long bytes() {
        return preCopy.get() + switchover.get();
    }
}
