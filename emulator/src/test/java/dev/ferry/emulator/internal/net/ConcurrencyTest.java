// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

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

    private final VirtioNetFunction function = TestFunctions.function(1);
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
            for (int round = 0; round < 200; round++) {
                function.setStopped(true);
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
            }
        } finally {
            end.set(true);
            threads.shutdown();
        }
        for (Future<?> one : running) {
            one.get(30, TimeUnit.SECONDS);
        }
        assertThat(transmitted.get()).isPositive();
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
        try {
            for (int i = 0; i < FRAMES && isInTime(); ) {
                queue.takeUsed();
                if ((queue.availIdx - queue.usedIdx & 0xFFFF) < 16) {
                    queue.add(TestQueue.Part.out(packet, 72));
                    i++;
                    VarHandle.fullFence();
                    if (queue.isNotificationDue()) {
                        function.writeBar(driver.notify.bar(), notification, 2, 1);
                    }
                }
            }
        } finally {
            end.set(true);
        }
        changing.get(30, TimeUnit.SECONDS);
        assertThat(transmitted).hasValue(FRAMES);
    }

    @ParameterizedTest
    @ValueSource(longs = {TestFunctions.VERSION_1, TestFunctions.VERSION_1 | TestFunctions.RING_PACKED})
    void shouldLetTheOwnerInWhileADriverNeverStopsNotifying(long format) throws Exception {
        driver.start(format, 64);
        long packet = driver.buffer(72);
        AtomicBoolean end = new AtomicBoolean();
        ExecutorService guest = Executors.newSingleThreadExecutor();
        Future<?> transmitting = guest.submit(() -> transmit(packet, end));
        guest.shutdown();
        try {
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
        Future<?> delivering = network.submit(() -> {
            for (int i = 0; i < FRAMES && isInTime(); ) {
                if (function.deliver(ByteBuffer.wrap(TestFunctions.frame(60, i))) == Delivery.TAKEN) {
                    i++;
                } else {
                    Thread.yield();
                }
            }
        });
        network.shutdown();
        int expected = 0;
        while (expected < FRAMES && isInTime()) {
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
        }
        delivering.get(30, TimeUnit.SECONDS);
        assertThat(expected).isEqualTo(FRAMES);
    }

    private boolean isInTime() {
        return System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    }
}
