// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.MigrationException;
import java.time.Duration;

/**
 * Keeps what one migration carries below a rate. Holds at most a tenth of a second's worth of tokens, one per byte.
 * Whoever takes more than there is leaves a debt, for which the next one waits. Thread-safe.
 */
public final class TokenBucket {

    /** Least size of one piece of work, so that slow rates do not drown in calls. */
    static final int LEAST_CHUNK_BYTES = 4096;

    private static final int BURSTS_PER_SECOND = 10;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final long SLICE_NANOS = Duration.ofMillis(20).toNanos();

    private final TimeSource clock;
    private final Bandwidth limit;
    private final double capacity;
    private double tokens;
    private long filled;

    /** A full bucket. */
    public TokenBucket(Bandwidth limit, TimeSource clock) {
        this.clock = clock;
        this.limit = limit;
        this.capacity = Math.max(1, (double) limit.bytesPerSecond() / BURSTS_PER_SECOND);
        this.tokens = capacity;
        this.filled = clock.nanos();
    }

    /** How much to carry at a time where so much could be: a large piece would come as a burst. */
    public int chunkOf(int bytes) {
        return (int) Math.min(bytes, Math.max(LEAST_CHUNK_BYTES, capacity));
    }

    /** Waits until bytes may be carried; looks at the gate meanwhile. */
    public void take(long bytes, Gate gate) throws MigrationException {
        if (!limit.isLimited()) {
            return;
        }
        for (long wait = tryTake(bytes); wait > 0; wait = tryTake(bytes)) {
            gate.check();
            clock.pause(Math.min(wait, SLICE_NANOS));
        }
    }

    /** Answers how many nanoseconds to wait before the next attempt; 0 when the bytes were taken. */
    private synchronized long tryTake(long bytes) {
        long now = clock.nanos();
        tokens = Math.min(capacity, tokens + (now - filled) / NANOS_PER_SECOND * limit.bytesPerSecond());
        filled = now;
        if (tokens > 0) {
            tokens -= bytes;
            return 0;
        }
        return 1 + (long) (-tokens / limit.bytesPerSecond() * NANOS_PER_SECOND);
    }
}
