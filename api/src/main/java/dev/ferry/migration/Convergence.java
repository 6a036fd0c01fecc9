// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.Objects;

/**
 * When a migration switches over, and what it does when the guest changes its memory faster than that can be carried.
 * Immutable.
 *
 * <p>After each round of pre-copy the downtime is predicted from what is left, the measured rate and the times that
 * devices of this type took before. At or below the allowed downtime the migration switches over. A round <i>gains</i>
 * when its prediction is at least a tenth below the best one so far. After {@code stallRounds} rounds in a row without
 * a gain the allowed downtime grows by half, and by at least 1 ms, up to {@code rampLimit}; when it cannot grow any
 * more, {@code onStall} decides. Before all destinations have loaded the initial data of their devices nothing is
 * judged; a device that gives none of those it announced, in several seconds of asking, is no longer waited for. A
 * device that announces new initial data when the guest is paused already counts as a stall that no ramp helps, and so
 * does a record of written pages that is lost then, when the downtime would become longer than allowed. Where nothing
 * can be carried before the pause, a request with pre-copy is judged at once by what can be predicted; one without
 * pre-copy is not. Each step of this is a {@link Decision} of the report.
 *
 * @param maxDowntime allowed downtime to begin with; more than zero
 * @param rampLimit up to which the allowed downtime may grow; {@code maxDowntime} or more, the same for no ramp
 * @param stallRounds rounds in a row without a gain that make a stall; 1 to 1000
 * @param onStall what to do then
 */
public record Convergence(Duration maxDowntime, Duration rampLimit, int stallRounds, OnStall onStall) {

    /** Allowed downtime where a request names none: 300 ms. */
    public static final Duration DEFAULT_MAX_DOWNTIME = Duration.ofMillis(300);

    /** At most 300 ms of downtime without a ramp; fails after three rounds without a gain. */
    public static final Convergence DEFAULT =
            new Convergence(DEFAULT_MAX_DOWNTIME, DEFAULT_MAX_DOWNTIME, 3, OnStall.FAIL);

    private static final int MAX_STALL_ROUNDS = 1000;

    /** What to do when the allowed downtime cannot be reached. */
    public enum OnStall {
        /** The migration fails with {@link FailureCode#NOT_CONVERGING}; the guest goes on at the source undisturbed. */
        FAIL,
        /** It switches over all the same; the downtime exceeds what was allowed, and the report says by how much. */
        SWITCH_OVER
    }

    /** Refuses values out of their bounds. */
    public Convergence {
        Objects.requireNonNull(onStall, "onStall");
        if (maxDowntime.isNegative() || maxDowntime.isZero()) {
            throw new IllegalArgumentException("the maximum downtime must be more than zero: " + maxDowntime);
        }
        if (rampLimit.compareTo(maxDowntime) < 0) {
            throw new IllegalArgumentException(
                    "the ramp cannot end below the maximum downtime: " + rampLimit + " < " + maxDowntime);
        }
        if (stallRounds < 1 || stallRounds > MAX_STALL_ROUNDS) {
            throw new IllegalArgumentException("a stall takes 1 to 1000 rounds: " + stallRounds);
        }
    }

    /**
     * The same with another maximum downtime. A ramp that ends above it still ends there; without one, or with one that
     * would end below it, there is none.
     */
    public Convergence withMaxDowntime(Duration allowed) {
        boolean ramps = rampLimit.compareTo(maxDowntime) > 0 && rampLimit.compareTo(allowed) > 0;
        return new Convergence(allowed, ramps ? rampLimit : allowed, stallRounds, onStall);
    }

    /** The same with a ramp that ends here. */
    public Convergence withRampLimit(Duration limit) {
        return new Convergence(maxDowntime, limit, stallRounds, onStall);
    }

    /** The same with another number of rounds that make a stall. */
    public Convergence withStallRounds(int rounds) {
        return new Convergence(maxDowntime, rampLimit, rounds, onStall);
    }

    /** The same with another outcome of a stall. */
    public Convergence withOnStall(OnStall outcome) {
        return new Convergence(maxDowntime, rampLimit, stallRounds, outcome);
    }
}
