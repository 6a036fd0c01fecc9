// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TransmitTest {

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final TestDriver driver = new TestDriver(function);
    private final List<byte[]> sent = TestFunctions.sink(function);

    @ParameterizedTest
    @ValueSource(ints = {14, 15, 60, 1514, 9000, 65535, 65550})
    void shouldTransmitFrameOfOneDescriptor(int length) {
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, frame(length, 1));
        assertThat(sent).containsExactly(frame(length, 1));
        assertThat(driver.queue(1).takeUsed()).containsExactly(new TestQueue.Used(0, 0));
        assertThat(driver.interrupts).containsExactly(2);
    }

    @Test
    void shouldGiveAViewOfGuestMemoryWhenFrameLiesInOneDescriptor() {
        List<ByteBuffer> views = new ArrayList<>();
        function.connect(views::add);
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, frame(60, 1));
        assertThat(views.get(0).isDirect()).isTrue();
        assertThat(views.get(0).isReadOnly()).isTrue();
    }

    @Test
    void shouldGatherFrameOfSeveralDescriptors() {
        driver.start(TestFunctions.VERSION_1, 64);
        byte[] frame = frame(64_000, 3);
        long header = driver.buffer(12);
        long body = driver.bufferOf(frame);
        driver.queue(1)
                .add(
                        TestQueue.Part.out(header, 5),
                        TestQueue.Part.out(header + 5, 7),
                        TestQueue.Part.out(body, 13),
                        TestQueue.Part.out(body + 13, 4083),
                        TestQueue.Part.out(body + 4096, 64_000 - 4096));
        driver.queue(1).kick();
        assertThat(sent).containsExactly(frame);
    }

    @Test
    void shouldTransmitFrameOfIndirectTable() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.INDIRECT_DESC, 4);
        byte[] frame = frame(1000, 4);
        long body = driver.bufferOf(frame);
        driver.queue(1)
                .addIndirect(
                        driver.buffer(64),
                        TestQueue.Part.out(driver.buffer(12), 12),
                        TestQueue.Part.out(body, 500),
                        TestQueue.Part.out(body + 500, 500));
        driver.queue(1).kick();
        assertThat(sent).containsExactly(frame);
    }

    @Test
    void shouldUseBuffersInOrderAroundTheRingManyTimes() {
        driver.start(TestFunctions.VERSION_1, 4);
        long buffer = driver.buffer(12 + 60);
        for (int i = 0; i < 70_000; i++) {
            driver.memory.putInt(driver.at(buffer) + 12 + 56, i);
            driver.queue(1).add(TestQueue.Part.out(buffer, 72));
            driver.queue(1).kick();
            assertThat(driver.queue(1).takeUsed()).hasSize(1);
        }
        assertThat(sent).hasSize(70_000);
        assertThat(ByteBuffer.wrap(sent.get(69_999)).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(56))
                .isEqualTo(69_999);
    }

    @Test
    void shouldTransmitSeveralFramesAtOneNotificationWithOneInterrupt() {
        driver.start(TestFunctions.VERSION_1, 16);
        for (int i = 0; i < 16; i++) {
            byte[] packet = ByteBuffer.allocate(72).put(12, frame(60, i)).array();
            driver.queue(1).add(TestQueue.Part.out(driver.bufferOf(packet), 72));
        }
        driver.queue(1).kick();
        assertThat(sent).hasSize(16);
        assertThat(sent.get(15)).isEqualTo(frame(60, 15));
        assertThat(driver.interrupts).containsExactly(2);
    }

    @Test
    void shouldNotInterruptWhenDriverSetsNoInterrupt() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.queue(1).availFlags(1);
        driver.transmit(1, frame(60, 1));
        assertThat(driver.queue(1).takeUsed()).hasSize(1);
        assertThat(driver.interrupts).isEmpty();
    }

    @Test
    void shouldInterruptOnlyBeyondUsedEventWithEventIdx() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.EVENT_IDX, 16);
        driver.transmit(1, frame(60, 0));
        driver.interrupts.clear();
        driver.queue(1).usedEvent(3);
        driver.transmit(1, frame(60, 1));
        driver.transmit(1, frame(60, 2));
        assertThat(driver.interrupts).as("used 2 and 3").isEmpty();
        driver.transmit(1, frame(60, 3));
        assertThat(driver.interrupts).as("used 4").containsExactly(2);
    }

    @Test
    void shouldAskForTheNextNotificationWithEventIdx() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.EVENT_IDX, 16);
        driver.transmit(1, frame(60, 0));
        assertThat(driver.queue(1).availEvent()).isEqualTo(1);
        driver.transmit(1, frame(60, 1));
        assertThat(driver.queue(1).availEvent()).isEqualTo(2);
    }

    @Test
    void shouldDropWhatIsNoFrameButUseItsBuffer() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.transmit(1, new byte[13]);
        driver.transmit(1, new byte[65_551]);
        assertThat(sent).isEmpty();
        assertThat(driver.queue(1).takeUsed()).hasSize(2);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
    }

    @Test
    void shouldGoOnWhenWhoeverTakesFramesFails() {
        function.connect(frame -> {
            throw new IllegalStateException("on purpose");
        });
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, frame(60, 1));
        assertThat(driver.queue(1).takeUsed()).hasSize(1);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
    }

    @Test
    void shouldNeedAResetWhenItsMemoryIsUnmappedBetweenTwoNotifications() {
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, frame(60, 1));
        assertThat(driver.dma.unmap(TestDriver.BASE)).isTrue();
        assertThat(driver.dma.unmap(TestDriver.BASE)).as("again").isFalse();
        driver.transmit(1, frame(60, 2));
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(0x4F);
        assertThat(sent).containsExactly(frame(60, 1));
        assertThat(driver.queue(1).deviceUsedIdx()).as("memory as it was").isEqualTo(1);
        assertThat(driver.interrupts).as("the queue, then the configuration").containsExactly(2, 0);
    }

    @Test
    void shouldNotTouchQueuesBeforeDriverOk() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        driver.write(TestDriver.DEVICE_STATUS, 1, 3);
        driver.takeFeatures(TestFunctions.VERSION_1);
        driver.write(TestDriver.DEVICE_STATUS, 1, 11);
        driver.enableQueue(1, 16, 2);
        driver.transmit(1, frame(60, 1));
        assertThat(sent).isEmpty();
        driver.write(TestDriver.DEVICE_STATUS, 1, 15);
        assertThat(sent).hasSize(1);
    }
}
