// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.pace.Prediction;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.fsm.core.internal.pace.SwitchoverRule;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Predicts the downtime and decides by the rules of the request whether the guest is paused, and whether it stays so
 * when something unforeseen comes up afterwards. Confined to the thread of the migration.
 */
final class SwitchoverDecision {

    private static final String ALL_THE_SAME = "let it switch over when it stalls.";

    private final Ends ends;
    private final Optional<CarriedMemory> memory;
    private final Kit kit;
    private final Timeline timeline;
    private final SwitchoverRule rule;
    private DowntimePlan plan;

    SwitchoverDecision(Ends ends, Optional<CarriedMemory> memory, Kit kit) {
        this.ends = ends;
        this.memory = memory;
        this.kit = kit;
        this.timeline = kit.timeline();
        this.rule = new SwitchoverRule(kit.request().convergence(), timeline::decide);
    }

    /** The last prediction. */
    DowntimePlan plan() {
        return plan;
    }

    /** Predicts from what is left now. */
    void predict() {
        OptionalDouble rate = memory.isPresent() ? memory.get().rate().bytesPerSecond() : OptionalDouble.empty();
        plan = DowntimePlan.of(
                ends.devices().stream().map(DeviceEnds::downtimeLoad).toList(),
                new DowntimePlan.Guest(
                        memory.map(CarriedMemory::remainingBytes).orElse(0L),
                        memory.map(CarriedMemory::lookTook).orElse(Duration.ZERO),
                        ends.beside()),
                kit.settings().threadsOfMigration(),
                rate,
                kit.request().bandwidth(),
                kit.history());
        tell();
    }

    private void tell() {
        OptionalDouble written =
                isTracked() ? memory.get().rate().writtenBytesPerSecond() : OptionalDouble.of(0);
        timeline.board().predict(rule.allowed(), plan, written);
    }

    /**
     * After a round: whether the guest is paused now.
     *
     * @throws MigrationException NOT_CONVERGING when that is never to be
     */
    boolean isTime() throws MigrationException {
        Optional<Prediction> prediction = plan.prediction();
        if (prediction.isEmpty()) {
            timeline.decide(
                    Decision.Kind.SWITCHOVER,
                    "The downtime cannot be predicted, as there is nothing to go by: " + plan.basis() + ".");
            return true;
        }
        SwitchoverRule.Verdict verdict = rule.judge(prediction.get(), isTracked());
        tell();
        if (verdict != SwitchoverRule.Verdict.CONTINUE) {
            requireSwitchover(verdict, prediction.get());
        }
        return verdict == SwitchoverRule.Verdict.SWITCH_OVER;
    }

    /**
     * Without a round: a request with pre-copy keeps to the downtime it allows all the same, where that can be
     * predicted.
     *
     * @throws MigrationException NOT_CONVERGING when it cannot be kept
     */
    void withoutRounds() throws MigrationException {
        Optional<Prediction> prediction = plan.prediction();
        if (kit.request().preCopy() && prediction.isPresent()) {
            requireSwitchover(rule.judge(prediction.get(), false), prediction.get());
        } else {
            timeline.decide(Decision.Kind.SWITCHOVER, "Nothing is carried while the guest runs: " + plan.basis() + ".");
        }
    }

    private void requireSwitchover(SwitchoverRule.Verdict verdict, Prediction prediction) throws MigrationException {
        if (verdict != SwitchoverRule.Verdict.SWITCH_OVER) {
            // Figures of one slow run must not stand against all that follow.
            Set<StepHistory.Key> figures =
                    ends.devices().stream().map(DeviceEnds::kind).collect(Collectors.toSet());
            figures.add(ends.beside());
            kit.history().doubt(figures);
            throw notConverging("The guest was not paused, as " + prediction.words()
                    + " of downtime are predicted and " + Prediction.millis(rule.allowed())
                    + " allowed, and waiting does not help (" + prediction.basis()
                    + "): allow more downtime or bandwidth, or " + ALL_THE_SAME);
        }
    }

    /**
     * The guest is paused, but devices announced new initial data, which would be loaded during the downtime.
     *
     * @throws MigrationException NOT_CONVERGING when the request does not say to switch over all the same
     */
    void reinitialized(String devices) throws MigrationException {
        String what = devices + " announced new initial data when the guest was paused already";
        force(what + ", which would be loaded during the downtime", what);
    }

    /**
     * The guest is paused and the devices are stopped, but a record of written pages was lost, so that all memory is
     * left: the downtime is judged once more, as there is still a way back.
     *
     * @throws MigrationException NOT_CONVERGING when more is predicted than allowed and the request does not say to
     *     switch over all the same
     */
    void recordLost() throws MigrationException {
        predict();
        Prediction predicted = plan.prediction().orElseThrow();
        if (predicted.downtime().compareTo(rule.allowed()) > 0) {
            String what = "a record of written pages was lost when the guest was paused already";
            String downtime = predicted.words() + " of downtime are predicted where "
                    + Prediction.millis(rule.allowed()) + " are allowed";
            force("A" + what.substring(1) + ", and now " + downtime, what + ", and " + downtime);
        }
    }

    private void force(String refusal, String reason) throws MigrationException {
        if (kit.request().convergence().onStall() == Convergence.OnStall.FAIL) {
            throw notConverging(refusal + ": migrate again, or " + ALL_THE_SAME);
        }
        timeline.decide(
                Decision.Kind.FORCED,
                "Switching over anyway, as requested, although " + reason + "; expect a longer downtime.");
    }

    private static MigrationException notConverging(String message) {
        return new MigrationException(Failure.of(FailureCode.NOT_CONVERGING, message));
    }

    private boolean isTracked() {
        return memory.isPresent() && memory.get().isTracked();
    }
}
