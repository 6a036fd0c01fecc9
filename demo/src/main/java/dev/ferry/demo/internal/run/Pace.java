// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Spreads frames evenly over a time. Used by one thread. */
final class Pace {

    private static final long MAX_INTERVAL_NANOS = Duration.ofMillis(20).toNanos();
    /** What was missed by more than this is not made up for. */
    private static final long MAX_LAG_NANOS = Duration.ofMillis(5).toNanos();
    private static final long MIN_PARK_NANOS = Duration.ofNanos(100_000).toNanos();

    private final long interval;
    private long next = System.nanoTime();

    Pace(long frames, Duration over) {
        this.interval = Math.min(over.toNanos() / frames, MAX_INTERVAL_NANOS);
    }

    /** Waits until the next frame is due. */
    void await() throws InterruptedException {
        long now = System.nanoTime();
        next = Math.max(next, now - MAX_LAG_NANOS);
        while (next - now > MIN_PARK_NANOS) {
            LockSupport.parkNanos(next - now);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            now = System.nanoTime();
        }
        next += interval;
    }
}
