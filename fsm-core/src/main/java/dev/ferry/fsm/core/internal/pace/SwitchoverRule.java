// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Decides after each round of pre-copy whether to switch over, by the rules of {@link Convergence}, and says why.
 * Confined to one job.
 */
public final class SwitchoverRule {

    /** A round gains when its prediction is at most nine tenths of the best one so far. */
    private static final int GAIN_NUMERATOR = 9;

    private static final int GAIN_DENOMINATOR = 10;

    /** Half of the least times is nothing at all, and a ramp of them would have no end. */
    private static final Duration LEAST_RAISE = Duration.ofMillis(1);

    private final Convergence rules;
    private final BiConsumer<Decision.Kind, String> decisions;
    private Duration allowed;
    private Optional<Duration> best = Optional.empty();
    private int withoutGain;

    /** What to do next. */
    public enum Verdict {
        /** One more round. */
        CONTINUE,
        /** The guest is paused. */
        SWITCH_OVER,
        /** The migration fails, as the allowed downtime cannot be reached. */
        GIVE_UP
    }

    /** {@code decisions} is told what was decided and why. */
    public SwitchoverRule(Convergence rules, BiConsumer<Decision.Kind, String> decisions) {
        this.rules = rules;
        this.decisions = decisions;
        this.allowed = rules.maxDowntime();
    }

    /** The allowed downtime as it is now. */
    public Duration allowed() {
        return allowed;
    }

    /** Judges one prediction, which another round can change where it is improvable. */
    public Verdict judge(Prediction prediction, boolean improvable) {
        Duration predicted = prediction.downtime();
        while (predicted.compareTo(allowed) > 0) {
            if (improvable && !isStalled(predicted)) {
                return Verdict.CONTINUE;
            }
            if (!raise(prediction)) {
                return stalled(prediction);
            }
            withoutGain = 0;
            if (improvable && predicted.compareTo(allowed) > 0) {
                return Verdict.CONTINUE;
            }
        }
        decisions.accept(
                Decision.Kind.SWITCHOVER,
                "A downtime of " + prediction.words() + " is predicted, " + millis(allowed) + " are allowed: "
                        + prediction.basis() + ".");
        return Verdict.SWITCH_OVER;
    }

    private boolean isStalled(Duration predicted) {
        if (best.isEmpty() || isGain(predicted, best.get())) {
            best = Optional.of(predicted);
            withoutGain = 0;
            return false;
        }
        withoutGain++;
        return withoutGain >= rules.stallRounds();
    }

    private static boolean isGain(Duration predicted, Duration best) {
        return predicted.multipliedBy(GAIN_DENOMINATOR).compareTo(best.multipliedBy(GAIN_NUMERATOR)) <= 0;
    }

    private boolean raise(Prediction prediction) {
        if (allowed.compareTo(rules.rampLimit()) >= 0) {
            return false;
        }
        Duration before = allowed;
        Duration half = before.dividedBy(2);
        Duration higher = before.plus(half.compareTo(LEAST_RAISE) > 0 ? half : LEAST_RAISE);
        allowed = higher.compareTo(rules.rampLimit()) < 0 ? higher : rules.rampLimit();
        decisions.accept(
                Decision.Kind.RAMP,
                "The allowed downtime goes from " + millis(before) + " to " + millis(allowed) + ", as "
                        + prediction.words() + " are predicted and waiting does not help: " + prediction.basis() + ".");
        return true;
    }

    private Verdict stalled(Prediction prediction) {
        decisions.accept(
                Decision.Kind.STALL,
                "A downtime of " + prediction.words() + " is predicted, " + millis(allowed)
                        + " are allowed, and waiting does not help: " + prediction.basis() + ".");
        if (rules.onStall() == Convergence.OnStall.FAIL) {
            return Verdict.GIVE_UP;
        }
        decisions.accept(
                Decision.Kind.FORCED,
                "Switching over anyway, as requested; expected downtime: " + prediction.words() + ".");
        return Verdict.SWITCH_OVER;
    }

    private static String millis(Duration duration) {
        return Prediction.millis(duration);
    }
}
