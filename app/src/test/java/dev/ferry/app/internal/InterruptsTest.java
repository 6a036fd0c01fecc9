// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InterruptsTest {

    private final Interrupts interrupts = new Interrupts(() -> {});

    @Test
    void shouldNotTellOfALaterCommandWhatCameOfAnEarlierOne() {
        interrupts.begin(() -> {}, true);
        interrupts.remember(new InterruptedException("interrupted: m1 is CANCELLED"));
        interrupts.ended();
        assertThat(interrupts.outcome()).contains("interrupted: m1 is CANCELLED");

        interrupts.begin(() -> {}, true);
        interrupts.all();

        assertThat(interrupts.outcome()).isEmpty();
    }
}
