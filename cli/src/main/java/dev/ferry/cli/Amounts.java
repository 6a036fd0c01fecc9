// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.MigrationProgress;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/** Bytes, rates and times as a person reads them; documents have plain numbers instead. */
public final class Amounts {

    private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    private static final double STEP = 1024;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double MILLIS_PER_SECOND = 1e3;
    private static final long SECONDS_PER_MINUTE = 60;

    private Amounts() {}

    /** Bytes with at most one decimal, in units of 1024: {@code 12.3 MiB}. */
    public static String bytes(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= STEP && unit < UNITS.length - 1) {
            amount /= STEP;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", amount, UNITS[unit]);
    }

    /** Bytes in a second: {@code 12.3 MiB/s}. */
    public static String rate(long bytesPerSecond) {
        return bytes(bytesPerSecond) + "/s";
    }

    /** A limit of what is carried. */
    public static String rate(Bandwidth limit) {
        return limit.isLimited() ? rate(limit.bytesPerSecond()) : "unlimited";
    }

    /** A time in the unit that suits it: {@code 12.345 ms}, {@code 300 ms}, {@code 1.23 s}, {@code 2 min 5 s}. */
    public static String time(Duration time) {
        double millis = time.toNanos() / NANOS_PER_MILLI;
        if (millis < MILLIS_PER_SECOND) {
            boolean whole = time.toNanos() % NANOS_PER_MILLI == 0;
            return String.format(Locale.ROOT, whole ? "%.0f ms" : "%.3f ms", millis);
        }
        if (time.toSeconds() < SECONDS_PER_MINUTE) {
            return String.format(Locale.ROOT, "%.2f s", millis / MILLIS_PER_SECOND);
        }
        return time.toSecondsPart() == 0
                ? time.toMinutes() + " min"
                : "%d min %d s".formatted(time.toMinutes(), time.toSecondsPart());
    }

    /** A time, or {@code unknown}. */
    public static String time(Optional<Duration> time) {
        return time.map(Amounts::time).orElse("unknown");
    }

    /** An estimate from its lower to its upper end: {@code 1.00 s to 3.50 s}, {@code 1.00 s or more}. */
    public static String range(MigrationProgress.Range range) {
        return range.atMost()
                .map(atMost -> time(range.atLeast()) + " to " + time(atMost))
                .orElse(time(range.atLeast()) + " or more");
    }
}
