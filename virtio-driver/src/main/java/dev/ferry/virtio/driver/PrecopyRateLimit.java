// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * One full read of the device per second at most, however often pre-copy information is asked for.
 *
 * <p>As the kernel's rate limiter (lib/ratelimit.c, interval 1 s, burst 1): a window starts with the first call, which
 * is granted; the first call later than one second after the start of the window is granted and starts a new one. For
 * one session and one caller at a time.
 */
public final class PrecopyRateLimit {

    /** The window. */
    public static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final LongSupplier nanoTime;
    private boolean started;
    private long windowStart;

    PrecopyRateLimit(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Whether the device may be contacted now; uses up the window when it may. */
    boolean tryAcquire() {
        long now = nanoTime.getAsLong();
        if (started && now - windowStart <= WINDOW_NANOS) {
            return false;
        }
        started = true;
        windowStart = now;
        return true;
    }
}
