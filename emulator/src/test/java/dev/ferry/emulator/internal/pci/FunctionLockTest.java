// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FunctionLockTest {

    /** Another bundle's listener may have lost its classes, for example. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldSendTheNextMessageWhenAListenerFailsWithOne(boolean withError) {
        FunctionLock lock = new FunctionLock();
        List<Integer> vectors = new ArrayList<>();
        lock.enter();

        lock.leave(List.of(new MsixMessage(0, 0, 0), new MsixMessage(1, 0, 0)), (vector, address, data) -> {
            vectors.add(vector);
            if (vector == 0 && withError) {
                throw new NoClassDefFoundError("of a bundle that has gone");
            } else if (vector == 0) {
                throw new IllegalStateException("of a listener");
            }
        });

        assertThat(vectors).containsExactly(0, 1);
        lock.enter();
        assertThat(lock.awaitSenders(0)).as("nobody is sending any more").isTrue();
        lock.leave(List.of(), (vector, address, data) -> {});
    }
}
