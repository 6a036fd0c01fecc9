// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.core.internal.pace.SwitchoverRule.Verdict;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SwitchoverRuleTest {

    private final List<Decision.Kind> decisions = new ArrayList<>();
    private final List<String> messages = new ArrayList<>();

    private SwitchoverRule rule(Convergence rules) {
        return new SwitchoverRule(rules, (kind, message) -> {
            decisions.add(kind);
            messages.add(message);
        });
    }

    private static Prediction prediction(Duration downtime) {
        return new Prediction(downtime, true, "basis");
    }

    private static Verdict judge(SwitchoverRule rule, long millis) {
        return rule.judge(prediction(Duration.ofMillis(millis)), true);
    }

    @Test
    void shouldSwitchOverAtTheAllowedDowntime() {
        assertThat(judge(rule(Convergence.DEFAULT), 301)).isEqualTo(Verdict.CONTINUE);
        assertThat(judge(rule(Convergence.DEFAULT), 300)).isEqualTo(Verdict.SWITCH_OVER);
        assertThat(decisions).containsExactly(Decision.Kind.SWITCHOVER);
    }

    @Test
    void shouldGoOnAsLongAsThereIsAGain() {
        SwitchoverRule rule = rule(Convergence.DEFAULT);
        for (long predicted = 100_000; predicted > 300; predicted = predicted * 9 / 10) {
            assertThat(judge(rule, predicted)).isEqualTo(Verdict.CONTINUE);
        }
        assertThat(decisions).isEmpty();
    }

    @Test
    void shouldGiveUpAfterSoManyRoundsWithoutAGain() {
        SwitchoverRule rule = rule(Convergence.DEFAULT.withStallRounds(2));
        assertThat(judge(rule, 1000)).isEqualTo(Verdict.CONTINUE);
        assertThat(judge(rule, 950)).isEqualTo(Verdict.CONTINUE);
        assertThat(judge(rule, 900)).as("a tenth below the best").isEqualTo(Verdict.CONTINUE);
        assertThat(judge(rule, 811)).isEqualTo(Verdict.CONTINUE);
        assertThat(judge(rule, 5000)).isEqualTo(Verdict.GIVE_UP);
        assertThat(decisions).containsExactly(Decision.Kind.STALL);
    }

    @Test
    void shouldRaiseByHalfAfterEachStallUpToTheLimit() {
        SwitchoverRule rule = rule(Convergence.DEFAULT
                .withStallRounds(1)
                .withRampLimit(Duration.ofMillis(700))
                .withOnStall(Convergence.OnStall.SWITCH_OVER));
        List<Long> allowed = new ArrayList<>();
        Verdict verdict = Verdict.CONTINUE;
        while (verdict == Verdict.CONTINUE) {
            verdict = judge(rule, 800);
            allowed.add(rule.allowed().toMillis());
        }
        assertThat(verdict).isEqualTo(Verdict.SWITCH_OVER);
        assertThat(allowed).containsExactly(300L, 450L, 675L, 700L, 700L);
        assertThat(decisions)
                .containsExactly(
                        Decision.Kind.RAMP,
                        Decision.Kind.RAMP,
                        Decision.Kind.RAMP,
                        Decision.Kind.STALL,
                        Decision.Kind.FORCED);
    }

    @Test
    void shouldRampAtOnceWhenAnotherRoundChangesNothing() {
        SwitchoverRule rule = rule(Convergence.DEFAULT.withRampLimit(Duration.ofSeconds(2)));
        assertThat(rule.judge(prediction(Duration.ofMillis(600)), false)).isEqualTo(Verdict.SWITCH_OVER);
        assertThat(decisions)
                .containsExactly(Decision.Kind.RAMP, Decision.Kind.RAMP, Decision.Kind.SWITCHOVER);
        assertThat(rule(Convergence.DEFAULT).judge(prediction(Duration.ofMillis(600)), false))
                .isEqualTo(Verdict.GIVE_UP);
    }

    @Test
    @Timeout(60)
    void shouldRampWhenHalfOfTheAllowedDowntimeIsLessThanAMillisecond() {
        SwitchoverRule rule = rule(new Convergence(
                Duration.ofNanos(1), Duration.ofSeconds(2), 1, Convergence.OnStall.FAIL));
        assertThat(rule.judge(prediction(Duration.ofMillis(2)), false)).isEqualTo(Verdict.SWITCH_OVER);
        assertThat(rule.allowed()).isEqualTo(Duration.ofNanos(2_000_001));
        assertThat(decisions)
                .containsExactly(
                        Decision.Kind.RAMP, Decision.Kind.RAMP, Decision.Kind.SWITCHOVER);
    }

    @Test
    void shouldNeverSayThatAsMuchIsPredictedAsIsAllowedWhereItIsMore() {
        SwitchoverRule rule = rule(Convergence.DEFAULT.withRampLimit(Duration.ofSeconds(1)));
        rule.judge(prediction(Duration.ofNanos(300_000_001)), false);
        assertThat(messages)
                .containsExactly(
                        "The allowed downtime goes from 300 ms to 450 ms, as 300.001 ms are predicted and waiting does "
                                + "not help: basis.",
                        "A downtime of 300.001 ms is predicted, 450 ms are allowed: basis.");
    }

    @Test
    void shouldSayWhenThereIsNothingToGoByForAPart() {
        rule(Convergence.DEFAULT).judge(new Prediction(Duration.ofMillis(100), false, "basis"), true);
        assertThat(messages)
                .containsExactly("A downtime of at least 100 ms is predicted, 300 ms are allowed: basis.");
    }
}
