// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TimedQueueTest {

    private final FakeTimer timer = new FakeTimer();

    private static SubmittedCommand toMember(int member) {
        return new SubmittedCommand(
                new ByteBuffer[] {ByteBuffer.wrap(Bench.bytes(Bench.toMember(0x11, member, "01")))},
                new ByteBuffer[0],
                false);
    }

    @Test
    void shouldComeToTheNextCommandWhenOneEndsWithAnError() {
        StackOverflowError error = new StackOverflowError("of a test");
        TimedQueue queue = new TimedQueue(timer, submitted -> 0, submitted -> {
            if (submitted.command().groupMemberId() == 1) {
                throw error;
            }
            return 8;
        });
        CompletableFuture<Integer> first = queue.submit(toMember(1)).toCompletableFuture();
        CompletableFuture<Integer> second = queue.submit(toMember(2)).toCompletableFuture();

        timer.pass(0);

        assertThatThrownBy(first::join).cause().isSameAs(error);
        assertThat(second).isCompletedWithValue(8);
    }
}
