// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

class CommandTimeoutTest {

    private final CommandTimeout timeout = new CommandTimeout("test");

    @Test
    void shouldKeepTheLastGoodTimeWhenTheConfigurationIsInvalid() {
        LongSupplier notNumeric = () -> {
            throw new NumberFormatException("soon");
        };
        timeout.configure(notNumeric);
        assertThat(timeout.millis()).isEqualTo(5_000);

        timeout.configure(() -> 60_000);
        timeout.configure(notNumeric);
        timeout.configure(() -> 9);
        timeout.configure(() -> 60_001);

        assertThat(timeout.millis()).isEqualTo(60_000);
    }
}
