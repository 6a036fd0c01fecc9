// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MigrationRequestTest {

    private static final DevicePair PAIR = new DevicePair("a", "x");

    @Test
    void shouldBeginWithDefaults() {
        MigrationRequest request = MigrationRequest.of("a", "x");
        assertThat(request.devices()).containsExactly(PAIR);
        assertThat(request.source()).isEqualTo("a");
        assertThat(request.destination()).isEqualTo("x");
        assertThat(request.preCopy()).isTrue();
        assertThat(request.dryRun()).isFalse();
        assertThat(request.convergence().maxDowntime()).isEqualTo(Duration.ofMillis(300));
        assertThat(request.convergence().onStall()).isEqualTo(Convergence.OnStall.FAIL);
        assertThat(request.bandwidth().isLimited()).isFalse();
        assertThat(request.timeout()).isEqualTo(Duration.ofMinutes(10));
        assertThat(request.describeDevices()).isEqualTo("a to x");
    }

    @Test
    void shouldChangeOneThingAtATime() {
        MigrationRequest request = MigrationRequest.of(List.of(PAIR, new DevicePair("b", "y")))
                .withPreCopy(false)
                .withDryRun(true)
                .withMaxDowntime(Duration.ofMillis(50))
                .withBandwidth(new Bandwidth(2 * 1024 * 1024))
                .withTimeout(Duration.ofSeconds(9));
        assertThat(request.devices()).hasSize(2);
        assertThat(request.preCopy()).isFalse();
        assertThat(request.dryRun()).isTrue();
        assertThat(request.convergence().rampLimit()).as("a maximum is one").isEqualTo(Duration.ofMillis(50));
        assertThat(request.bandwidth().bytesPerSecond()).isEqualTo(2 * 1024 * 1024);
        assertThat(request.timeouts().total()).isEqualTo(Duration.ofSeconds(9));
        assertThat(request.timeouts().noProgress()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void shouldTake1To256Devices() {
        assertThat(MigrationRequest.of(Collections.nCopies(256, PAIR)).devices()).hasSize(256);
        assertThatIllegalArgumentException().isThrownBy(() -> MigrationRequest.of(List.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MigrationRequest.of(Collections.nCopies(257, PAIR)));
    }

    @Test
    void shouldRefuseValuesOutOfTheirBounds() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Bandwidth(0));
        assertThatIllegalArgumentException().isThrownBy(() -> Convergence.DEFAULT.withMaxDowntime(Duration.ZERO));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Convergence.DEFAULT.withRampLimit(Duration.ofMillis(299)));
        assertThatIllegalArgumentException().isThrownBy(() -> Convergence.DEFAULT.withStallRounds(0));
        assertThatIllegalArgumentException().isThrownBy(() -> Convergence.DEFAULT.withStallRounds(1001));
        assertThatIllegalArgumentException().isThrownBy(() -> Timeouts.DEFAULT.withTotal(Duration.ZERO));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Timeouts.DEFAULT.withNoProgress(Duration.ofSeconds(-1)));
    }

    @Test
    void shouldKeepTheRampWhenTheMaximumDowntimeChanges() {
        Convergence ramp = Convergence.DEFAULT.withRampLimit(Duration.ofMillis(900));
        assertThat(ramp.withMaxDowntime(Duration.ofMillis(50)).rampLimit()).hasMillis(900);
        assertThat(ramp.withMaxDowntime(Duration.ofMillis(1000)).rampLimit()).hasMillis(1000);
        assertThat(Convergence.DEFAULT.withMaxDowntime(Duration.ofMillis(50)).rampLimit())
                .as("without a ramp before there is none afterwards")
                .hasMillis(50);
    }

    @Test
    void shouldHaveTimesForPhasesUpToCommitAlone() {
        Timeouts timeouts = Timeouts.DEFAULT
                .withPhase(MigrationPhase.COMMIT, Duration.ofSeconds(1))
                .withPhase(MigrationPhase.SETUP, Duration.ofSeconds(2));
        assertThat(timeouts.phases())
                .containsExactlyEntriesOf(new java.util.TreeMap<>(Map.of(
                        MigrationPhase.SETUP, Duration.ofSeconds(2),
                        MigrationPhase.COMMIT, Duration.ofSeconds(1))));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Timeouts.DEFAULT.withPhase(MigrationPhase.START, Duration.ofSeconds(1)));
    }
}
