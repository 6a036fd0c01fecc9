// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import org.junit.jupiter.api.Test;

class SliceTest {

    private final PageBits bits = new PageBits(128);
    private final Slice slice = new Slice(bits, 64, 64, new IovaRange(0, 64 * 4096));

    @Test
    void shouldBelongToOneAtATime() {
        assertThat(slice.takeNow()).isTrue();
        assertThat(slice.takeNow()).isFalse();
        slice.giveBack();
        assertThat(slice.takeNow()).isTrue();
    }

    @Test
    void shouldLetNobodySetABitWhileAnotherOneHasIt() {
        assertThat(slice.takeNow()).isTrue();
        PageBits others = new PageBits(64);
        others.set(3, 4);
        Gate closed = () -> {
            throw new MigrationException(Failure.of(FailureCode.CANCELLED, "cancelled"));
        };

        assertThatThrownBy(() -> slice.move(others, closed)).hasMessage("cancelled");
        assertThatThrownBy(() -> slice.set(64, 65, closed)).hasMessage("cancelled");

        assertThat(bits.count()).isZero();
        assertThat(others.count()).isOne();
    }

    @Test
    void shouldSetBitsWhenItIsGivenBackAndKeepAnInterrupt() throws Exception {
        assertThat(slice.takeNow()).isTrue();
        PageBits others = new PageBits(64);
        others.set(3, 4);
        Thread.currentThread().interrupt();
        int[] looks = new int[1];

        slice.move(others, () -> {
            if (++looks[0] == 2) {
                slice.giveBack();
            }
        });

        assertThat(Thread.interrupted()).isTrue();
        assertThat(looks[0]).isEqualTo(2);
        assertThat(others.count()).isZero();
        bits.drain((from, to) -> assertThat(from).isEqualTo(64 + 3));
        assertThat(slice.takeNow()).as("given back").isTrue();
    }
}
