// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.Await;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.internal.LogCapture;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class StopResumeTest {
    private static final long LONG_MILLIS = 60_000;

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final TestDriver driver = new TestDriver(function);
    private final List<byte[]> sent = TestFunctions.sink(function);

    private static VirtioNetFunction loadedFrom(VirtioNetFunction source) {
        VirtioNetFunction destination = TestFunctions.function(1);
        destination.setStopped(true);
        assertThat(destination
                        .loadParts(ByteBuffer.wrap(TestFunctions.capture(source)))
                        .isOk())
                .isTrue();
        return destination;
    }

    @Test
    void shouldRememberNotificationsWhileStopped() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        driver.transmit(1, frame(60, 1));
        assertThat(sent).isEmpty();
        assertThat(driver.queue(1).takeUsed()).isEmpty();
        assertThat(driver.interrupts).isEmpty();
        function.setStopped(false);
        assertThat(sent).containsExactly(frame(60, 1));
        assertThat(driver.interrupts).containsExactly(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, TestFunctions.EVENT_IDX})
    void shouldServeAQueueOnceWhenResumedAndTheRestWhenNotified(long features) {
        int frames = 1_000;
        driver.start(TestFunctions.VERSION_1 | features, 16);
        function.setStopped(true);
        long packet = driver.buffer(72);
        TestQueue queue = driver.queue(1);
        for (int i = 0; i < 16; i++) {
            queue.add(TestQueue.Part.out(packet, 72));
        }
        AtomicInteger count = new AtomicInteger();
        AtomicBoolean notify = new AtomicBoolean();
        function.connect(frame -> {
            // Another processor of the guest, which never lets the queue run empty.
            queue.takeUsed();
            if (count.incrementAndGet() < frames && queue.availIdx - queue.usedIdx < 16) {
                queue.add(TestQueue.Part.out(packet, 72));
                notify.compareAndSet(false, features == 0 || queue.availEvent() == queue.availIdx - 1);
            }
        });
        function.setStopped(false);
        assertThat(count).as("in the call of the owner").hasValue(16);
        while (notify.getAndSet(false)) {
            queue.kick();
        }
        assertThat(queue.deviceUsedIdx()).as("none is left behind").isEqualTo(queue.availIdx);
        assertThat(count).hasValueGreaterThan(900);
    }

    @Test
    void shouldGoOnWhenAnInterruptIsOnItsWayForTooLong() throws Exception {
        VirtioNetFunction impatient = new VirtioNetFunction(TestFunctions.config(1), Duration.ofMillis(50));
        List<byte[]> frames = TestFunctions.sink(impatient);
        TestDriver slow = new TestDriver(impatient).start(TestFunctions.VERSION_1, 16);
        CountDownLatch taking = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        impatient.attach(slow.dma, (vector, address, data) -> {
            taking.countDown();
            await(end);
        });
        Thread guest = new Thread(() -> slow.transmit(1, frame(60, 1)));
        guest.start();
        try (LogCapture log = new LogCapture(FunctionGate.class)) {
            await(taking);
            assertThat(impatient.setStopped(true)).isFalse();
            assertThat(impatient.awaitSenders(Duration.ZERO)).as("of what a caller of many has left").isFalse();
            String warning = "the driver of %s is still taking an interrupt; nothing waits for it any longer"
                    .formatted(TestFunctions.config(1).id());
            assertThat(log.warnings()).containsExactly(warning, warning);
            assertThat(impatient.isStopped()).isFalse();
            impatient.attach(slow.dma, slow);
            slow.transmit(1, frame(60, 2));
            assertThat(frames).containsExactly(frame(60, 1), frame(60, 2));
        } finally {
            end.countDown();
            guest.join(LONG_MILLIS);
        }
        assertThat(impatient.setStopped(true)).isTrue();
        assertThat(impatient.isStopped()).isTrue();
    }

    /** The driver may be kept off its processor until the owner has given up: the owner is more patient then. */
    @Test
    void shouldServeWhatWasNotifiedWhileItTriedToStop() throws Exception {
        boolean met = false;
        for (int millis = 300; !met && millis <= 30_000; millis *= 10) {
            met = servesWhatIsNotifiedWithin(Duration.ofMillis(millis));
        }
        assertThat(met).as("notified while the device was stopped").isTrue();
    }

    /** Gives whether the notification came in time. */
    private static boolean servesWhatIsNotifiedWithin(Duration patience) throws Exception {
        VirtioNetFunction impatient = new VirtioNetFunction(TestFunctions.config(1), patience);
        List<byte[]> frames = TestFunctions.sink(impatient);
        TestDriver slow = new TestDriver(impatient).start(TestFunctions.VERSION_1, 16);
        CountDownLatch taking = new CountDownLatch(1);
        Thread guest = new Thread(() -> slow.transmit(1, frame(60, 1)));
        CountDownLatch end = new CountDownLatch(1);
        AtomicBoolean met = new AtomicBoolean();
        AtomicBoolean entered = new AtomicBoolean();
        impatient.attach(slow.dma, (vector, address, data) -> {
            if (Thread.currentThread() != guest || entered.getAndSet(true)) {
                return;
            }
            taking.countDown();
            Await.until("the stop, or its end", () -> impatient.isStopped() || end.getCount() == 0);
            // While the owner waits for this very call.
            slow.transmit(1, frame(60, 2));
            met.set(impatient.isStopped());
            await(end);
        });
        guest.start();
        try {
            await(taking);
            assertThat(impatient.setStopped(true)).isFalse();
        } finally {
            end.countDown();
            guest.join(LONG_MILLIS);
        }
        assertThat(frames).containsExactly(frame(60, 1), frame(60, 2));
        return met.get();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(LONG_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void shouldAcceptTheSameModeAgain() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(false);
        function.setStopped(true);
        function.setStopped(true);
        assertThat(function.isStopped()).isTrue();
        function.setStopped(false);
        function.setStopped(false);
        driver.transmit(1, frame(60, 1));
        assertThat(sent).hasSize(1);
    }

    @Test
    void shouldHoldMessagesThatAreUnmaskedWhileStopped() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.writeConfig(driver.msixCap + 2, 2, 0xC000);
        driver.transmit(1, frame(60, 1));
        function.setStopped(true);
        function.writeConfig(driver.msixCap + 2, 2, 0x8000);
        assertThat(driver.interrupts).isEmpty();
        function.setStopped(false);
        assertThat(driver.interrupts).containsExactly(2);
    }

    @Test
    void shouldGoOnWhereGuestMemorySaysAfterALoad() {
        driver.start(TestFunctions.VERSION_1, 16);
        for (int i = 0; i < 21; i++) {
            driver.transmit(1, frame(60, i));
            driver.queue(1).takeUsed();
        }
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(128), 128));
        function.setStopped(true);
        driver.transmit(1, frame(60, 21));

        VirtioNetFunction destination = loadedFrom(function);
        List<byte[]> sentThere = TestFunctions.sink(destination);
        TestDriver there = driver.movedTo(destination);
        assertThat(sentThere).isEmpty();
        destination.setStopped(false);
        assertThat(sentThere).as("the notification came at the source").containsExactly(frame(60, 21));
        assertThat(there.queue(1).takeUsed()).hasSize(1);
        assertThat(destination.deliver(ByteBuffer.wrap(frame(60, 5)))).isEqualTo(Delivery.TAKEN);
        assertThat(there.queue(0).takeUsed()).containsExactly(new TestQueue.Used(0, 72));
        assertThat(sent).as("by the source").hasSize(21);
    }

    @Test
    void shouldInterruptEveryQueueOnceAfterALoadSinceOneMayHaveBeenPending() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        VirtioNetFunction destination = loadedFrom(function);
        TestDriver there = driver.movedTo(destination);
        assertThat(there.interrupts).isEmpty();
        destination.setStopped(false);
        assertThat(there.interrupts).containsExactly(1, 2, 3);
        destination.setStopped(true);
        destination.setStopped(false);
        assertThat(there.interrupts).as("after an ordinary resume").hasSize(3);
    }

    @Test
    void shouldWaitForTheGuestWhenResumedBeforeItIsAttached() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        driver.transmit(1, frame(60, 1));
        VirtioNetFunction destination = loadedFrom(function);
        List<byte[]> sentThere = TestFunctions.sink(destination);
        destination.setStopped(false);
        TestDriver there = driver.movedTo(destination);
        assertThat(sentThere).hasSize(1);
        assertThat(there.interrupts).containsExactly(1, 2, 3);
    }

    @Test
    void shouldAskForAnAnnouncementAfterALoad() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.GUEST_ANNOUNCE, 16);
        assertThat(driver.readDevice(6, 2)).isEqualTo(1);
        function.setStopped(true);
        VirtioNetFunction destination = loadedFrom(function);
        TestDriver there = driver.movedTo(destination);
        long generation = there.read(TestDriver.CONFIG_GENERATION, 1);
        destination.setStopped(false);
        assertThat(there.readDevice(6, 2)).isEqualTo(3);
        assertThat(there.interrupts).contains(0);
        assertThat(there.read(TestDriver.CONFIG_GENERATION, 1)).isNotEqualTo(generation);
        assertThat(there.control(2, 3, 0)).isZero();
        assertThat(there.readDevice(6, 2)).isEqualTo(1);
    }

    @Test
    void shouldAnswerRegistersWhileStopped() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isZero();
        assertThat(function.isStopped()).as("a reset by the driver leaves the mode to the owner").isTrue();
    }
}
