// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.ManualClock;
import dev.ferry.fsm.core.internal.ScriptedDriver;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.fsm.core.internal.table.FeatureTransitionTable;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Range;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ten seconds of work: 250 of 1000 bytes were carried, 100 in each second. */
class ProgressBoardTest {

    private static final OptionalDouble UNKNOWN = OptionalDouble.empty();
    private static final DowntimePlan PLAN = plan(Set.of());

    private final ManualClock clock = new ManualClock();
    private final Downtime downtime = new Downtime(clock);
    private final ProgressBoard board =
            new ProgressBoard(MigrationRequest.of("source", "destination"), clock, downtime);
    private DeviceEnds device;

    private static DowntimePlan plan(Set<Step> unknown) {
        return new DowntimePlan(
                Map.of(Step.STOP, Duration.ofSeconds(2), Step.TRANSFER, Duration.ofSeconds(9)),
                unknown,
                750,
                UNKNOWN,
                Duration.ZERO);
    }

    @BeforeEach
    void carry() throws MigrationException {
        device = new DeviceEnds(device("source"), device("destination"), clock);
        board.follow(List.of(device));
        board.memory().setRemaining(1000);
        board.memory().carry(250);
        clock.advance(Duration.ofMillis(2500));
        board.beginRound(1);
    }

    private static Device device(String id) throws MigrationException {
        DeviceRegistry registry = new DeviceRegistry(new FeatureTransitionTable());
        registry.add(
                1,
                new ScriptedDriver(id, EnumSet.allOf(MigrationFeature.class), "text:"),
                Map.of(
                        MigrationDriver.DEVICE_ID, id,
                        MigrationDriver.DEVICE_TYPE, "scripted",
                        MigrationDriver.BACKEND, "memory",
                        MigrationDriver.HOST, "host"));
        return registry.require(id);
    }

    private MigrationProgress update() {
        return board.update(MigrationPhase.PRE_COPY);
    }

    private static Optional<Range> range(long atLeastMillis, long atMostMillis) {
        return Optional.of(new Range(Duration.ofMillis(atLeastMillis), Optional.of(Duration.ofMillis(atMostMillis))));
    }

    private static Optional<Range> atLeast(long millis) {
        return Optional.of(new Range(Duration.ofMillis(millis), Optional.empty()));
    }

    @Test
    void shouldKnowNoUpperEndBeforeTheFirstLookAtWhatTheGuestWrites() {
        assertThat(update().timeLeft()).isEqualTo(atLeast(7500));
    }

    @Test
    void shouldTakeLongerWhenTheGuestWritesMeanwhile() {
        board.predict(Duration.ZERO, PLAN, OptionalDouble.of(40));
        assertThat(update().timeLeft()).isEqualTo(range(7500 + 2000, 12_500 + 2000));
    }

    @Test
    void shouldKnowNoUpperEndWhenTheGuestWritesAsFastOrNobodyKnowsHowFast() {
        board.predict(Duration.ZERO, PLAN, OptionalDouble.of(100));
        assertThat(update().timeLeft()).isEqualTo(atLeast(9500));
        board.predict(Duration.ZERO, PLAN, UNKNOWN);
        assertThat(update().timeLeft()).isEqualTo(atLeast(9500));
    }

    @Test
    void shouldKnowNoUpperEndWithoutAnythingToGoByForADevice() {
        board.predict(Duration.ZERO, plan(Set.of(Step.LOAD)), OptionalDouble.of(0));
        assertThat(update().timeLeft()).isEqualTo(atLeast(9500));
    }

    @Test
    void shouldKnowNothingWhenNothingMoves() {
        update();
        clock.advance(Duration.ofSeconds(1));
        assertThat(update().timeLeft()).isEmpty();
    }

    @Test
    void shouldBeAsFarAsWasCarriedAndCompleteOnlyAtTheEnd() {
        assertThat(update().percent()).isEqualTo(24);
        board.memory().carry(750);
        assertThat(update().percent()).isEqualTo(99);
        board.memory().setRemaining(250);
        assertThat(update().percent()).isEqualTo(79);
        board.complete();
        assertThat(update().percent()).isEqualTo(100);
        assertThat(update().timeLeft()).isEqualTo(range(0, 0));
    }

    @Test
    void shouldCountAsMuchAsThereCanBeWhereADeviceAnnouncesThat() {
        device.gauge().setRemaining(Long.MAX_VALUE);
        assertThat(update().total().remainingBytes()).isEqualTo(Long.MAX_VALUE);
        assertThat(update().percent()).isZero();
    }

    @Test
    void shouldEstimateEachDevice() {
        assertThat(update().devices().get(0).timeLeft()).as("nothing of it moves").isEmpty();
        device.gauge().setRemaining(80);
        device.gauge().carry(30);
        clock.advance(Duration.ofSeconds(1));
        assertThat(update().devices().get(0).timeLeft())
                .as("30 bytes in a second")
                .isEqualTo(Optional.of(new Range(Duration.ofNanos(1_666_666_666), Optional.empty())));
        StepHistory history = new StepHistory();
        history.add(device.kind(), List.of(Map.of(Step.STOP, Duration.ofSeconds(2), Step.LOAD, Duration.ofSeconds(1))));
        device.plan(history);
        assertThat(update().devices().get(0).timeLeft().orElseThrow().atMost())
                .as("memory may keep it for long")
                .isEmpty();
        downtime.begin(Map.of(), Duration.ZERO);
        assertThat(update().devices().get(0).timeLeft().orElseThrow().atMost())
                .contains(Duration.ofNanos(4_666_666_666L));
        downtime.endStep(Step.STOP);
        assertThat(update().devices().get(0).timeLeft().orElseThrow().atMost())
                .as("it is stopped")
                .contains(Duration.ofNanos(2_666_666_666L));
        downtime.turnBack();
        assertThat(update().devices().get(0).timeLeft().orElseThrow().atMost())
                .as("on the way back")
                .isEmpty();
        board.complete();
        assertThat(update().devices().get(0).timeLeft()).isEqualTo(range(0, 0));
    }
}
