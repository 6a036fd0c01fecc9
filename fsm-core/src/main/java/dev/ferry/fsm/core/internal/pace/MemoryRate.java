// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import java.time.Duration;
import java.util.OptionalDouble;

/**
 * How fast memory is carried and how fast it is written again, from one round to the next. Rounds that carry little say
 * little about the rate: they count only until there is a larger one. Confined to one job.
 */
public final class MemoryRate {

    private static final long TELLING_BYTES = 1024 * 1024;
    private static final double NANOS_PER_SECOND = 1e9;

    /** A round gains when at most nine tenths of what it carried was written meanwhile. */
    private static final int GAIN_NUMERATOR = 9;

    private static final int GAIN_DENOMINATOR = 10;

    private OptionalDouble carried = OptionalDouble.empty();
    private boolean telling;
    private OptionalDouble written = OptionalDouble.empty();
    private long roundBytes;

    /** A round carried so many bytes. */
    public void round(long bytes, long nanos) {
        roundBytes = bytes;
        if (bytes == 0 || telling && bytes < TELLING_BYTES) {
            return;
        }
        double now = perSecond(bytes, nanos);
        carried = OptionalDouble.of(telling ? (carried.getAsDouble() + now) / 2 : now);
        telling = bytes >= TELLING_BYTES;
    }

    /** So many bytes were written again in the time since the last look. */
    public void written(long bytes, long nanos) {
        // Each page counts once, so nearly as much as was carried may stand for any rate.
        boolean gains = bytes * (double) GAIN_DENOMINATOR <= roundBytes * (double) GAIN_NUMERATOR;
        written = gains ? OptionalDouble.of(perSecond(bytes, nanos)) : OptionalDouble.empty();
    }

    /** Bytes per second that are carried; empty before the first round. */
    public OptionalDouble bytesPerSecond() {
        return carried;
    }

    /** Bytes per second that the guest writes; empty before the first look, and after a round that gained nothing. */
    public OptionalDouble writtenBytesPerSecond() {
        return written;
    }

    /** How long so many bytes take at a rate. */
    public static Duration time(long bytes, double bytesPerSecond) {
        return Duration.ofNanos((long) Math.min(Long.MAX_VALUE, bytes / bytesPerSecond * NANOS_PER_SECOND));
    }

    /** So many bytes together: devices may announce as many as there can be. */
    public static long plus(long bytes, long others) {
        return others > Long.MAX_VALUE - bytes ? Long.MAX_VALUE : bytes + others;
    }

    private static double perSecond(long bytes, long nanos) {
        return bytes * NANOS_PER_SECOND / Math.max(1, nanos);
    }
}
