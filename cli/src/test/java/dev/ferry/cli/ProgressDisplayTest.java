// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.Decision;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Range;
import dev.ferry.migration.MigrationProgress.Transfer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProgressDisplayTest {

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private long nanos;

    private ProgressDisplay display(boolean bar) {
        return display(bar, 80);
    }

    private ProgressDisplay display(boolean bar, int columns) {
        return new ProgressDisplay(new PrintStream(err, true, StandardCharsets.UTF_8), bar, columns, () -> nanos);
    }

    private String shown() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static MigrationEvent progress(int percent) {
        Transfer transfer = new Transfer(percent << 20, 1 << 20, (long) (100 - percent) << 20);
        Range left = new Range(Duration.ofSeconds(100 - percent), Optional.of(Duration.ofMinutes(3)));
        return new MigrationEvent.Progress("m1", new MigrationProgress(
                MigrationPhase.PRE_COPY, false, percent, transfer, Transfer.NONE, List.of(), 1, Duration.ofMillis(300),
                Optional.empty(), Optional.of(left)));
    }

    @Test
    void shouldWriteLinesAboutBytesOnceASecondWhereNobodyLooks() {
        try (ProgressDisplay display = display(false)) {
            display.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.PRE_COPY));
            for (int percent = 0; percent < 21; percent++) {
                nanos += 100_000_000;
                display.onEvent(progress(percent));
            }
            display.onEvent(new MigrationEvent.ArcTaken("m1", "a", Arc.RUNNING_TO_RUNNING_P2P));
        }
        assertThat(shown()).isEqualTo("""
                PRE_COPY
                  9 % PRE_COPY round 1: 9.0 MiB at 1.0 MiB/s, 91.0 MiB left, 1 min 31 s to 3 min
                  19 % PRE_COPY round 1: 19.0 MiB at 1.0 MiB/s, 81.0 MiB left, 1 min 21 s to 3 min
                  a: RUNNING -> RUNNING_P2P
                """);
    }

    @Test
    void shouldDrawABarInPlaceThatFitsWhereAPersonLooks() {
        try (ProgressDisplay display = display(true)) {
            display.onEvent(progress(50));
            display.onEvent(new MigrationEvent.Decided(
                    "m1", new Decision(Duration.ZERO, Decision.Kind.RAMP, "it grows")));
            display.onEvent(progress(99));
        }
        String[] drawn = shown().split("\r\u001b\\[K", -1);
        assertThat(drawn[1])
                .startsWith("[##########..........] 50 % PRE_COPY round 1: 50.0 MiB at 1.0 MiB/s")
                .hasSize(79);
        assertThat(drawn[2]).isEqualTo("  RAMP: it grows\n");
        assertThat(drawn[3]).startsWith("[###################.] 99 % ");
        assertThat(drawn[4]).isEmpty();
        assertThat(shown()).doesNotContain("100 %");
    }

    @Test
    void shouldDrawNoWiderThanTheTerminalIs() {
        try (ProgressDisplay display = display(true, 40)) {
            display.onEvent(progress(50));
        }
        assertThat(shown().split("\r\u001b\\[K", -1)[1]).startsWith("[####").hasSize(39);
    }

    @Test
    void shouldSayThatNobodyKnowsWhatIsLeftBeforeTheFirstLook() {
        try (ProgressDisplay display = display(false)) {
            nanos += 1_000_000_000;
            display.onEvent(progress(0, Transfer.NONE));
            nanos += 1_000_000_000;
            display.onEvent(progress(0, new Transfer(0, 0, 16 << 20)));
        }
        assertThat(shown()).isEqualTo("""
                  0 % PRE_COPY round 1: 0 bytes at 0 bytes/s, an unknown amount left
                  0 % PRE_COPY round 1: 0 bytes at 0 bytes/s, at least 16.0 MiB left
                """);
    }

    /** Nothing is known of the one device there is. */
    private static MigrationEvent progress(int percent, Transfer total) {
        return new MigrationEvent.Progress("m1", new MigrationProgress(
                MigrationPhase.PRE_COPY, false, percent, total, total,
                List.of(new MigrationProgress.Device("a", Transfer.NONE, false)), 1, Duration.ofMillis(300),
                Optional.empty(), Optional.empty()));
    }

    @Test
    void shouldShowNothingOnceItIsClosed() {
        ProgressDisplay display = display(false);
        display.close();
        display.onEvent(new MigrationEvent.PhaseStarted("m1", MigrationPhase.START));
        assertThat(shown()).isEmpty();
    }
}
