// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.DowntimeStep.Step;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class StepHistoryTest {

    private static final StepHistory.Kind KIND = new StepHistory.Kind("virtio-net", true);

    private final StepHistory history = new StepHistory();

    /** One migration whose devices took so many milliseconds to load. */
    private void migrate(long... millis) {
        history.add(
                KIND,
                LongStream.of(millis)
                        .mapToObj(each -> Map.of(Step.LOAD, Duration.ofMillis(each)))
                        .toList());
    }

    @Test
    void shouldKnowNothingBeforeTheFirstMigration() {
        assertThat(history.of(KIND, Step.LOAD)).isEmpty();
    }

    @Test
    void shouldTakeTheMiddleOfTheLastFive() {
        for (long millis : new long[] {900, 900, 900, 5, 3, 1, 2, 4}) {
            migrate(millis);
        }
        assertThat(history.of(KIND, Step.LOAD)).contains(Duration.ofMillis(3));
    }

    @Test
    void shouldCountTheSlowestDeviceOfAMigrationAndEachMigrationOnce() {
        migrate(1);
        migrate(1);
        migrate(1);
        migrate(70, 70, 70, 70, 70, 70, 70, 80);
        assertThat(history.of(KIND, Step.LOAD)).as("one migration of eight devices").contains(Duration.ofMillis(1));
        migrate(90, 1, 1, 1, 1, 1, 1, 1);
        migrate(100, 1, 1, 1, 1, 1, 1, 1);
        assertThat(history.of(KIND, Step.LOAD)).as("of 1, 1, 80, 90, 100").contains(Duration.ofMillis(80));
    }

    @Test
    void shouldTakeTheLongestOfEachStep() {
        history.add(KIND, List.of(
                Map.of(Step.STOP, Duration.ofMillis(1), Step.LOAD, Duration.ofMillis(9)),
                Map.of(Step.STOP, Duration.ofMillis(8), Step.LOAD, Duration.ofMillis(2))));
        assertThat(history.of(KIND, Step.STOP)).contains(Duration.ofMillis(8));
        assertThat(history.of(KIND, Step.LOAD)).contains(Duration.ofMillis(9));
        assertThat(history.of(KIND, Step.START)).contains(Duration.ZERO);
    }

    @Test
    void shouldForgetTheOldestWhenItIsDoubted() {
        migrate(100);
        migrate(50);
        migrate(1);
        migrate(2);
        assertThat(history.of(KIND, Step.LOAD)).as("of 1, 2, 50, 100").contains(Duration.ofMillis(50));
        history.doubt(Set.of(KIND, new StepHistory.Kind("never seen", false)));
        history.doubt(Set.of(KIND));
        assertThat(history.of(KIND, Step.LOAD)).as("of 1, 2").contains(Duration.ofMillis(2));
    }
}
