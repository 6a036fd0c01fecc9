// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.emulator.control.NetworkPort;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(20)
class EmulatedNetworkTest {

    private final FakePort first = new FakePort();
    private final FakePort second = new FakePort();
    private final List<Frame> refused = new CopyOnWriteArrayList<>();
    private final List<IOException> failed = new CopyOnWriteArrayList<>();

    @Test
    void shouldDeliverInOrderAndHoldWhatCannotBeTaken() throws Exception {
        try (EmulatedNetwork network = network()) {
            first.answer = NetworkPort.Delivery.NOT_READY;
            send(network, 0, 3);
            first.awaitTries(3);
            assertThat(first.taken).isEmpty();

            first.answer = NetworkPort.Delivery.TAKEN;
            Await.until("the frames", () -> first.taken.size() == 3);
            assertThat(first.taken).containsExactly(0, 1, 2);
            assertThat(network.waited()).isZero();
        }
    }

    @Test
    void shouldFollowTheGuestAndCountTheFramesThatWaited() throws Exception {
        try (EmulatedNetwork network = network()) {
            send(network, 0, 2);
            Await.until("the frames", () -> first.taken.size() == 2);
            first.answer = NetworkPort.Delivery.NOT_READY;
            second.answer = NetworkPort.Delivery.NOT_READY;
            network.switchoverBegins();
            send(network, 2, 7);
            first.awaitTries(2);
            network.follow(second);
            second.awaitTries(2);
            second.answer = NetworkPort.Delivery.TAKEN;

            Await.until("the frames", () -> second.taken.size() == 5);
            assertThat(second.taken).containsExactly(2, 3, 4, 5, 6);
            assertThat(network.waited()).isEqualTo(5);
            send(network, 7, 8);
            Await.until("the frames", () -> second.taken.size() == 6);
            assertThat(network.waited()).isEqualTo(5);
        }
    }

    @Test
    void shouldCountNothingWhenNoFrameHadToWait() throws Exception {
        try (EmulatedNetwork network = network()) {
            network.switchoverBegins();
            network.follow(second);
            send(network, 0, 2);

            Await.until("the frames", () -> second.taken.size() == 2);
            assertThat(network.waited()).isZero();
        }
    }

    @Test
    void shouldCountNothingWhenAFrameHadToWaitOnlyAfterTheSwitchover() throws Exception {
        try (EmulatedNetwork network = network()) {
            network.switchoverBegins();
            network.follow(second);
            send(network, 0, 1);
            Await.until("the frames", () -> second.taken.size() == 1);
            second.answer = NetworkPort.Delivery.NOT_READY;
            send(network, 1, 3);
            second.awaitTries(2);
            second.answer = NetworkPort.Delivery.TAKEN;

            Await.until("the frames", () -> second.taken.size() == 3);
            assertThat(network.waited()).isZero();
        }
    }

    @Test
    void shouldTellOfFramesThatTheDeviceDoesNotWant() throws Exception {
        try (EmulatedNetwork network = network()) {
            first.answer = NetworkPort.Delivery.FILTERED;
            send(network, 0, 1);

            Await.until("the frames", () -> refused.size() == 1);
        }
    }

    @ParameterizedTest
    @MethodSource
    void shouldTellWhyWhenAPortFails(Throwable failure) throws Exception {
        try (EmulatedNetwork network = network()) {
            first.failure = failure;
            send(network, 0, 1);

            Await.until("the frames", () -> failed.size() == 1);
            assertThat(failed.get(0)).hasMessageContaining("broken").hasCause(failure);
        }
    }

    static List<Throwable> shouldTellWhyWhenAPortFails() {
        return List.of(new IllegalStateException("broken"), new AssertionError("broken"));
    }

    @Test
    void shouldEndWhileAFrameWaits() throws Exception {
        first.answer = NetworkPort.Delivery.NOT_READY;
        EmulatedNetwork network = network();
        send(network, 0, 1);
        first.awaitTries(1);

        network.close();

        Await.untilNoThreadIsLeft("ferry-demo-network");
    }

    private EmulatedNetwork network() {
        return new EmulatedNetwork(first, (frame, delivery) -> refused.add(frame), failed::add);
    }

    private static void send(EmulatedNetwork network, int from, int to) {
        for (int number = from; number < to; number++) {
            network.send(new Frame(0, 0, 60, ByteBuffer.allocate(60).putInt(0, number)));
        }
    }

    private static final class FakePort implements NetworkPort {
        private final List<Integer> taken = new CopyOnWriteArrayList<>();
        private volatile CountDownLatch tries = new CountDownLatch(0);
        private volatile Delivery answer = Delivery.TAKEN;
        private volatile Throwable failure;

        @Override
        public Delivery deliver(ByteBuffer frame) {
            Delivery now = answer;
            tries.countDown();
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure instanceof RuntimeException exception) {
                throw exception;
            }
            if (now == Delivery.TAKEN) {
                taken.add(frame.getInt(0));
            }
            return now;
        }

        void awaitTries(int count) throws InterruptedException {
            tries = new CountDownLatch(count);
            assertThat(tries.await(10, TimeUnit.SECONDS)).isTrue();
        }

        @Override
        public void connect(FrameSink sink) {}
    }
}
