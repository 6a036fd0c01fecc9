// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;

/**
 * The downtime that a switchover would have now. Immutable.
 *
 * @param downtime as far as there is something to go by
 * @param complete whether there is, for all of it; otherwise it takes at least so long
 * @param basis what it was made from, for people
 */
public record Prediction(Duration downtime, boolean complete, String basis) {

    private static final int NANO_DIGITS_OF_MILLIS = 6;
    private static final int MILLI_DIGITS_OF_SECONDS = 3;
    private static final int MICRO_DIGITS_OF_MILLIS = 3;

    /** The downtime for people. */
    public String words() {
        return (complete ? "" : "at least ") + millis(downtime);
    }

    /** A time for people: rounded up, so that what exceeds a limit never looks as if it met it. */
    public static String millis(Duration time) {
        // Not as one number of nanoseconds: what nobody would wait for may be more than fits.
        return BigDecimal.valueOf(time.getSeconds())
                        .movePointRight(MILLI_DIGITS_OF_SECONDS)
                        .add(BigDecimal.valueOf(time.getNano(), NANO_DIGITS_OF_MILLIS))
                        .setScale(MICRO_DIGITS_OF_MILLIS, RoundingMode.UP)
                        .stripTrailingZeros()
                        .toPlainString()
                + " ms";
    }
}
