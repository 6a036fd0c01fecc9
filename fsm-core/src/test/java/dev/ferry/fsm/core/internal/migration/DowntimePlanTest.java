// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DowntimePlanTest {

    private static final StepHistory.Kind KNOWN = new StepHistory.Kind("known", true);
    private static final StepHistory.Kind NEW = new StepHistory.Kind("new", true);
    private static final StepHistory.Beside BESIDE = new StepHistory.Beside(1, true);
    private static final OptionalDouble UNKNOWN = OptionalDouble.empty();
    private static final int THREADS = 5;

    private final StepHistory history = new StepHistory();

    DowntimePlanTest() {
        history.add(
                KNOWN,
                List.of(Map.of(
                        Step.STOP, Duration.ofMillis(1),
                        Step.TRANSFER, Duration.ofMillis(2),
                        Step.LOAD, Duration.ofMillis(10))));
    }

    private static DowntimePlan.Guest guest(long memoryBytes) {
        return new DowntimePlan.Guest(memoryBytes, Duration.ZERO, BESIDE);
    }

    private DowntimePlan plan(int devices, long stateBytes, long memoryBytes, OptionalDouble rate, Bandwidth limit) {
        List<DowntimePlan.Load> loads =
                Collections.nCopies(devices, new DowntimePlan.Load(KNOWN, OptionalLong.of(stateBytes), Map.of()));
        return DowntimePlan.of(loads, guest(memoryBytes), THREADS, rate, limit, history);
    }

    @Test
    void shouldCountTheStateOfDevicesAgainstTheLimitAlsoWhenTheirTimesAreKnown() {
        DowntimePlan plan = plan(2, 1000, 500, OptionalDouble.of(1e9), new Bandwidth(1000));
        assertThat(plan.steps().get(Step.TRANSFER)).hasMillis(2500);
        assertThat(plan.bytes()).isEqualTo(2500);
    }

    @Test
    void shouldTakeTheTimesOfDevicesWhenTheLimitAllowsMore() {
        DowntimePlan plan = plan(1, 1000, 0, UNKNOWN, new Bandwidth(1_000_000_000));
        assertThat(plan.steps().get(Step.TRANSFER)).hasMillis(2);
    }

    @Test
    void shouldPlanWithSizesThatTogetherAreMoreThanFits() {
        DowntimePlan plan = DowntimePlan.of(
                Collections.nCopies(3, new DowntimePlan.Load(NEW, OptionalLong.of(Long.MAX_VALUE), Map.of())),
                guest(1),
                1,
                OptionalDouble.of(1),
                new Bandwidth(1),
                history);
        assertThat(plan.bytes()).isEqualTo(Long.MAX_VALUE);
        assertThat(plan.steps().get(Step.TRANSFER)).isGreaterThan(Duration.ofNanos(Long.MAX_VALUE));
        assertThat(plan.prediction().orElseThrow().words()).isEqualTo("at least 27670116111564.328 ms");
    }

    private DowntimePlan planOfUnknownSize(StepHistory.Kind kind, Bandwidth limit) {
        return DowntimePlan.of(
                List.of(
                        new DowntimePlan.Load(KNOWN, OptionalLong.of(1000), Map.of()),
                        new DowntimePlan.Load(kind, OptionalLong.empty(), Map.of())),
                guest(0),
                THREADS,
                OptionalDouble.of(1000),
                limit,
                history);
    }

    @Test
    void shouldNotTakeAnUnknownSizeForNothing() {
        DowntimePlan unlimited = planOfUnknownSize(NEW, Bandwidth.UNLIMITED);
        assertThat(unlimited.unknown()).contains(Step.TRANSFER);
        assertThat(unlimited.steps().get(Step.TRANSFER)).as("of the other one").hasMillis(2);
        DowntimePlan limited = planOfUnknownSize(KNOWN, new Bandwidth(1000));
        assertThat(limited.unknown()).as("a limit is about the size").containsExactly(Step.TRANSFER);
        assertThat(limited.steps().get(Step.TRANSFER)).hasMillis(1000);
        assertThat(limited.total()).isEmpty();
    }

    @Test
    void shouldTakeTheTimesOfADeviceWhoseSizeIsUnknown() {
        assertThat(planOfUnknownSize(KNOWN, Bandwidth.UNLIMITED).total()).contains(Duration.ofMillis(13));
    }

    @Test
    void shouldTakeTurnsWhenThereAreMoreDevicesThanThreads() {
        DowntimePlan one = plan(THREADS, 0, 0, UNKNOWN, Bandwidth.UNLIMITED);
        DowntimePlan four = plan(16, 0, 0, UNKNOWN, Bandwidth.UNLIMITED);
        assertThat(one.total()).contains(Duration.ofMillis(13));
        assertThat(four.total()).contains(Duration.ofMillis(4 * 13));
        assertThat(four.steps().get(Step.LOAD)).hasMillis(40);
    }

    @Test
    void shouldCountTheMemoryAsThePieceOfOneThread() {
        DowntimePlan beside = plan(8, 0, 1000, OptionalDouble.of(1000), Bandwidth.UNLIMITED);
        assertThat(beside.steps().get(Step.TRANSFER)).as("devices go beside it").hasMillis(1000);
        DowntimePlan behind = plan(8, 0, 3, OptionalDouble.of(1000), Bandwidth.UNLIMITED);
        assertThat(behind.steps().get(Step.TRANSFER)).as("four threads, then all five").hasMillis(4);
    }

    @Test
    void shouldTakeTheSizeOfADeviceWhoseKindIsNew() {
        DowntimePlan plan = DowntimePlan.of(
                List.of(
                        new DowntimePlan.Load(KNOWN, OptionalLong.of(1), Map.of()),
                        new DowntimePlan.Load(NEW, OptionalLong.of(500), Map.of())),
                guest(0),
                THREADS,
                OptionalDouble.of(1000),
                Bandwidth.UNLIMITED,
                history);
        assertThat(plan.steps().get(Step.TRANSFER)).hasMillis(500);
    }

    @Test
    void shouldNotPredictWithoutARate() {
        assertThat(plan(1, 0, 1, UNKNOWN, Bandwidth.UNLIMITED).total()).isEmpty();
    }

    private DowntimePlan planOfNew(Map<Step, Duration> estimates) {
        return DowntimePlan.of(
                List.of(new DowntimePlan.Load(NEW, OptionalLong.of(500), estimates)),
                guest(0),
                THREADS,
                UNKNOWN,
                Bandwidth.UNLIMITED,
                history);
    }

    @Test
    void shouldPredictNothingForADeviceOfWhichNothingIsKnown() {
        DowntimePlan plan = planOfNew(Map.of());
        assertThat(plan.prediction()).isEmpty();
        assertThat(plan.planned()).isEmpty();
        assertThat(plan.basis()).contains("nothing for the steps of the devices");
    }

    @Test
    void shouldTakeWhatThisMigrationShowsForADeviceWhoseKindIsNew() {
        DowntimePlan plan = planOfNew(Map.of(
                Step.STOP, Duration.ofMillis(50), Step.START, Duration.ofMillis(40), Step.SAVE, Duration.ofMillis(10)));
        assertThat(plan.prediction().orElseThrow().words()).isEqualTo("at least 100 ms");
        assertThat(plan.prediction().orElseThrow().basis()).contains("not all of TRANSFER and LOAD,");
        assertThat(plan.total()).isEmpty();
        assertThat(plan.planned()).containsOnlyKeys(Step.STOP, Step.SAVE, Step.START);
    }

    @Test
    void shouldSayAtLeastWhenTheKindOfOneDeviceIsNew() {
        DowntimePlan plan = DowntimePlan.of(
                List.of(
                        new DowntimePlan.Load(KNOWN, OptionalLong.of(1), Map.of()),
                        new DowntimePlan.Load(NEW, OptionalLong.of(500), Map.of())),
                guest(0),
                THREADS,
                OptionalDouble.of(1000),
                Bandwidth.UNLIMITED,
                history);
        assertThat(plan.prediction().orElseThrow().words()).isEqualTo("at least 511 ms");
        assertThat(plan.planned()).containsOnlyKeys(Step.TRANSFER);
    }

    @Test
    void shouldTakeEarlierMigrationsBeforeWhatThisOneShows() {
        DowntimePlan plan = DowntimePlan.of(
                List.of(new DowntimePlan.Load(KNOWN, OptionalLong.of(1), Map.of(Step.LOAD, Duration.ofHours(1)))),
                guest(0),
                THREADS,
                UNKNOWN,
                Bandwidth.UNLIMITED,
                history);
        assertThat(plan.prediction().orElseThrow().words()).isEqualTo("13 ms");
    }

    @Test
    void shouldCountWhatIsDoneBesideTheDevices() {
        history.add(
                BESIDE,
                List.of(Map.of(
                        Step.STOP, Duration.ofMillis(100),
                        Step.TRANSFER, Duration.ofMillis(200),
                        Step.LOAD, Duration.ofMillis(400))));
        List<DowntimePlan.Load> loads = List.of(new DowntimePlan.Load(KNOWN, OptionalLong.of(1), Map.of()));
        DowntimePlan plan = DowntimePlan.of(
                loads,
                new DowntimePlan.Guest(50, Duration.ofMillis(7), BESIDE),
                THREADS,
                OptionalDouble.of(1000),
                Bandwidth.UNLIMITED,
                history);
        assertThat(plan.steps().get(Step.STOP)).hasMillis(101);
        assertThat(plan.steps().get(Step.TRANSFER)).as("look, configurations, memory").hasMillis(7 + 200 + 50);
        assertThat(plan.steps().get(Step.LOAD)).hasMillis(410);
        DowntimePlan withoutMemory =
                DowntimePlan.of(loads, guest(0), THREADS, UNKNOWN, Bandwidth.UNLIMITED, history);
        assertThat(withoutMemory.steps().get(Step.TRANSFER)).as("configurations alone").hasMillis(200);
    }

    @Test
    void shouldTakeTheTransferForTheWaitForADestinationUnlessTheMemoryTakesLonger() {
        DowntimePlan slowDevice = plan(1, 0, 1, OptionalDouble.of(1000), Bandwidth.UNLIMITED);
        assertThat(slowDevice.loading()).as("the memory goes in 1 ms").hasMillis(2);
        DowntimePlan muchMemory = plan(1, 0, 3, OptionalDouble.of(1000), Bandwidth.UNLIMITED);
        assertThat(muchMemory.loading()).isZero();
    }
}
