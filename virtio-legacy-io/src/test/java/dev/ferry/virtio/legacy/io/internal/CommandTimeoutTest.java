// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandTimeoutTest {

    private final CommandTimeout timeout = new CommandTimeout();

    @ParameterizedTest
    @ValueSource(longs = {10, 5000, 60_000})
    void shouldTakeWhatIsInRange(long millis) {
        timeout.configure(() -> millis);
        assertThat(timeout.millis()).isEqualTo(millis);
        assertThat(timeout.nanos()).isEqualTo(millis * 1_000_000);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 9, 60_001, Long.MAX_VALUE})
    void shouldKeepTheLastGoodValueWhenOneIsOutOfRange(long millis) {
        timeout.configure(() -> 77);
        timeout.configure(() -> millis);
        assertThat(timeout.millis()).isEqualTo(77);
    }

    @Test
    void shouldKeepTheLastGoodValueWhenOneIsNoNumber() {
        assertThat(timeout.millis()).isEqualTo(5000);
        timeout.configure(() -> {
            throw new NumberFormatException("abc");
        });
        assertThat(timeout.millis()).isEqualTo(5000);
    }
}
