// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class MemoryRateTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final MemoryRate rate = new MemoryRate();

    @Test
    void shouldNotKnowHowFastTheGuestWritesBeforeTheFirstLook() {
        rate.round(1000, SECOND);
        assertThat(rate.writtenBytesPerSecond()).isEmpty();
    }

    @Test
    void shouldKnowHowFastTheGuestWritesAfterARoundThatGained() {
        rate.round(1000, SECOND);
        rate.written(900, 2 * SECOND);
        assertThat(rate.writtenBytesPerSecond()).hasValue(450);
    }

    @Test
    void shouldNotTakeForARateWhatMayBeWrittenManyTimes() {
        rate.round(1000, SECOND);
        rate.written(901, SECOND);
        assertThat(rate.writtenBytesPerSecond()).isEmpty();
    }
}
