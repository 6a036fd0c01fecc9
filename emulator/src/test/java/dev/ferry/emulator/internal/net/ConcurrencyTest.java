// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.emulator.Await;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ConcurrencyTest {

    private static final int FRAMES = 20_000;
    private static final long LIMIT_SECONDS = 40;
    /** A slow machine goes fewer rounds. */
    private static final long ROUNDS_SECONDS = 20;

    /** Waits for interrupts on their way as long as a test may take: their sender may be kept off its processor. */
    private final VirtioNetFunction function =
            new VirtioNetFunction(TestFunctions.config(1), Duration.ofSeconds(LIMIT_SECONDS));
    private final TestDriver driver = new TestDriver(function);
    private final long begun = System.nanoTime();

    @Test
    void shouldTouchNothingAndInterruptNobodyWhileStopped() throws Exception {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.EVENT_IDX, 64);
        AtomicInteger transmitted = new AtomicInteger();
        function.connect(frame -> transmitted.incrementAndGet());
        long packet = driver.buffer(72);
        long buffer = driver.buffer(128);
        AtomicBoolean end = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(2);
        List<Future<?>> running = new ArrayList<>();
        running.add(threads.submit(() -> transmit(packet, end)));
        running.add(threads.submit(() -> receive(buffer, end)));
        try {
            Await.until("traffic", () -> transmitted.get() > 0 && driver.queue(0).deviceUsedIdx() > 0);
            int round = 0;
            do {
                assertThat(function.setStopped(true)).isTrue();
                int interrupts = driver.interrupts.size();
                int frames = transmitted.get();
                int used = driver.queue(0).deviceUsedIdx() << 16 | driver.queue(1).deviceUsedIdx();
                for (int i = 0; i < 50; i++) {
                    Thread.yield();
                }
                assertThat(driver.interrupts).hasSize(interrupts);
                assertThat(transmitted).hasValue(frames);
                assertThat(driver.queue(0).deviceUsedIdx() << 16 | driver.queue(1).deviceUsedIdx()).isEqualTo(used);
                function.setStopped(false);
                Thread.yield();
            } while (++round < 200 && isWithin(ROUNDS_SECONDS));
        } finally {
            end.set(true);
            threads.shutdown();
        }
        for (Future<?> one : running) {
            one.get(30, TimeUnit.SECONDS);
        }
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
    }

    private void transmit(long packet, AtomicBoolean end) {
        TestQueue queue = driver.queue(1);
        long notification = driver.notify.offset() + driver.multiplier;
        while (!end.get()) {
            if ((queue.availIdx - queue.usedIdx & 0xFFFF) < 32) {
                queue.add(TestQueue.Part.out(packet, 72));
            }
            function.writeBar(driver.notify.bar(), notification, 2, 1);
            queue.takeUsed();
        }
    }

    private void receive(long buffer, AtomicBoolean end) {
        TestQueue queue = driver.queue(0);
        byte[] frame = TestFunctions.frame(60, 1);
        while (!end.get()) {
            if (function.deliver(ByteBuffer.wrap(frame)) == Delivery.NOT_READY && queue.takeUsed().size() < 32) {
                if (queue.availIdx == queue.usedIdx) {
                    queue.add(TestQueue.Part.in(buffer, 128));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {TestFunctions.VERSION_1, TestFunctions.VERSION_1 | TestFunctions.RING_PACKED})
    void shouldMissNoNotificationWhileItIsStoppedAndResumed(long format) throws Exception {
        driver.start(format | TestFunctions.EVENT_IDX, 16);
        AtomicInteger transmitted = new AtomicInteger();
        function.connect(frame -> transmitted.incrementAndGet());
        AtomicBoolean end = new AtomicBoolean();
        ExecutorService owner = Executors.newSingleThreadExecutor();
        Future<?> changing = owner.submit(() -> {
            while (!end.get()) {
                function.setStopped(true);
                function.setStopped(false);
            }
        });
        owner.shutdown();
        TestQueue queue = driver.queue(1);
        long packet = driver.buffer(72);
        long notification = driver.notify.offset() + driver.multiplier;
        int sent = 0;
        try {
            while (sent < FRAMES && isWithin(ROUNDS_SECONDS)) {
                queue.takeUsed();
                if ((queue.availIdx - queue.usedIdx & 0xFFFF) < 16) {
                    queue.add(TestQueue.Part.out(packet, 72));
                    sent++;
                    VarHandle.fullFence();
                    if (queue.isNotificationDue()) {
                        function.writeBar(driver.notify.bar(), notification, 2, 1);
                    }
                } else {
                    Thread.yield();
                }
            }
        } finally {
            end.set(true);
        }
        changing.get(30, TimeUnit.SECONDS);
        assertThat(sent).as("more than the queue holds").isGreaterThan(16);
        assertThat(transmitted).hasValue(sent);
    }

    @ParameterizedTest
    @ValueSource(longs = {TestFunctions.VERSION_1, TestFunctions.VERSION_1 | TestFunctions.RING_PACKED})
    void shouldLetTheOwnerInWhileADriverNeverStopsNotifying(long format) throws Exception {
        driver.start(format, 64);
        AtomicInteger transmitted = new AtomicInteger();
        function.connect(frame -> transmitted.incrementAndGet());
        long packet = driver.buffer(72);
        AtomicBoolean end = new AtomicBoolean();
        ExecutorService guest = Executors.newSingleThreadExecutor();
        Future<?> transmitting = guest.submit(() -> transmit(packet, end));
        guest.shutdown();
        try {
            Await.until("notifications", () -> transmitted.get() > 0);
            assertTimeoutPreemptively(Duration.ofSeconds(LIMIT_SECONDS), () -> {
                for (int i = 0; i < 20; i++) {
                    function.setStopped(true);
                    function.setStopped(false);
                    function.attach(driver.dma, driver);
                }
                function.detach();
                function.resetFunction();
                function.remove();
            });
        } finally {
            end.set(true);
        }
        transmitting.get(30, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(longs = {TestFunctions.VERSION_1, TestFunctions.VERSION_1 | TestFunctions.RING_PACKED})
    void shouldLoseNothingBetweenADriverAndTheNetworkOnTwoThreads(long format) throws Exception {
        driver.start(format, 64);
        long[] buffers = new long[64];
        for (int i = 0; i < 64; i++) {
            long buffer = driver.buffer(128);
            buffers[driver.queue(0).add(TestQueue.Part.in(buffer, 128))] = buffer;
        }
        ExecutorService network = Executors.newSingleThreadExecutor();
        Future<Integer> delivering = network.submit(() -> {
            int taken = 0;
            while (taken < FRAMES && isWithin(ROUNDS_SECONDS)) {
                if (function.deliver(ByteBuffer.wrap(TestFunctions.frame(60, taken))) == Delivery.TAKEN) {
                    taken++;
                } else {
                    Thread.yield();
                }
            }
            return taken;
        });
        network.shutdown();
        int expected = 0;
        for (boolean mayCome = true; mayCome; ) {
            // Asked before the queue is looked at: what was delivered until then is seen there.
            mayCome = !delivering.isDone();
            List<TestQueue.Used> used = driver.queue(0).takeUsed();
            VarHandle.acquireFence();
            List<Long> taken = used.stream().map(one -> buffers[one.id()]).toList();
            for (long buffer : taken) {
                int number = Integer.reverseBytes(driver.memory.getInt(driver.at(buffer) + 12 + 56));
                assertThat(number).isEqualTo(expected++);
            }
            for (long buffer : taken) {
                buffers[driver.queue(0).add(TestQueue.Part.in(buffer, 128))] = buffer;
            }
            if (taken.isEmpty()) {
                Thread.yield();
            }
        }
        assertThat(expected).isEqualTo(delivering.get(30, TimeUnit.SECONDS));
        assertThat(expected).as("more than the queue holds").isGreaterThan(64);
    }

    private boolean isWithin(long seconds) {
        return System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(seconds);
    }
}
