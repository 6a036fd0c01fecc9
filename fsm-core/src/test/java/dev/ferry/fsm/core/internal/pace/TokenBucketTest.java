// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ferry.fsm.core.internal.ManualClock;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class TokenBucketTest {

    private static final Gate OPEN = () -> {};

    private final ManualClock clock = new ManualClock();

    @Property(tries = 200)
    void shouldKeepToTheRateWhateverThePieces(
            @ForAll @IntRange(min = 100_000, max = 1_000_000_000) int rate,
            @ForAll @IntRange(min = 1, max = 1_000_000) int piece) throws Exception {
        TokenBucket bucket = new TokenBucket(new Bandwidth(rate), clock);
        long start = clock.nanos();
        int pieces = 50;
        for (int i = 0; i < pieces; i++) {
            bucket.take(piece, OPEN);
        }
        double seconds = (clock.nanos() - start) / 1e9;
        // The last piece is paid for by whoever comes next, and a tenth of a second was free.
        double due = Math.max(0, (double) piece * (pieces - 1) / rate - 0.1);
        assertThat(seconds).isBetween(due - 1e-3, due + 0.021 + 1.0 / rate + 1e-6 * pieces);
    }

    @Test
    void shouldNotSaveUpMoreThanATenthOfASecond() throws Exception {
        TokenBucket bucket = new TokenBucket(new Bandwidth(1000), clock);
        clock.pause(3_600_000_000_000L);
        long start = clock.nanos();
        for (int i = 0; i < 11; i++) {
            bucket.take(100, OPEN);
        }
        assertThat((clock.nanos() - start) / 1e9).isCloseTo(0.9, within(0.03));
    }

    @Test
    void shouldNotTakeTimeWithoutALimit() throws Exception {
        TokenBucket bucket = new TokenBucket(Bandwidth.UNLIMITED, clock);
        long start = clock.nanos();
        bucket.take(Long.MAX_VALUE, OPEN);
        bucket.take(Long.MAX_VALUE, OPEN);
        assertThat(clock.nanos()).isEqualTo(start);
        assertThat(bucket.chunkOf(1 << 20)).isEqualTo(1 << 20);
    }

    @Test
    void shouldCutLargePiecesAtALowRate() {
        assertThat(new TokenBucket(new Bandwidth(100_000), clock).chunkOf(1 << 20)).isEqualTo(10_000);
        assertThat(new TokenBucket(new Bandwidth(1), clock).chunkOf(1 << 20)).isEqualTo(4096);
        assertThat(new TokenBucket(new Bandwidth(1), clock).chunkOf(7)).isEqualTo(7);
    }

    @Test
    void shouldStopWaitingWhenTheGateIsClosed() throws Exception {
        TokenBucket bucket = new TokenBucket(new Bandwidth(1), clock);
        bucket.take(1_000_000, OPEN);
        assertThatThrownBy(() -> bucket.take(1, () -> {
                    throw new MigrationException(Failure.of(FailureCode.CANCELLED, "cancelled"));
                }))
                .isInstanceOf(MigrationException.class);
    }
}
