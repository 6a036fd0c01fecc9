// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;

class StateGateTest {

    @Test
    void shouldLetTheNextOneInWhenFinishingAResetFailed() {
        StateGate gate = new StateGate("host1/pf0/vf3", () -> {
            throw new IllegalStateException("told to fail");
        });
        assertThat(gate.tryEnter()).isTrue();
        gate.deferReset();

        assertThatIllegalStateException().isThrownBy(gate::leave);

        assertThat(gate.tryEnter()).isTrue();
    }

    @Test
    void shouldFinishAResetThatComesWhileAnotherIsBeingFinished() {
        int[] finished = {0};
        StateGate[] gate = new StateGate[1];
        gate[0] = new StateGate("host1/pf0/vf3", () -> {
            if (++finished[0] == 1) {
                gate[0].deferReset();
            }
        });
        assertThat(gate[0].tryEnter()).isTrue();
        gate[0].deferReset();

        gate[0].leave();

        assertThat(finished[0]).isEqualTo(2);
        assertThat(gate[0].tryEnter()).isTrue();
    }
}
