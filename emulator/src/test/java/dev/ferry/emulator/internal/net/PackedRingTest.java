// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The device on packed virtqueues, whose descriptors and event structures are looked at byte by byte. */
class PackedRingTest {

    private static final long PACKED = TestFunctions.VERSION_1 | TestFunctions.RING_PACKED;
    private static final int NEEDS_RESET = 64;

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final TestDriver driver = new TestDriver(function);
    private final List<byte[]> sent = TestFunctions.sink(function);

    private TestPackedQueue queue(int index) {
        return (TestPackedQueue) driver.queue(index);
    }

    private Delivery deliver(int length, int number) {
        return function.deliver(ByteBuffer.wrap(frame(length, number)));
    }

    private byte[] descriptor(int queue, int index) {
        return driver.bytes(queue(queue).desc + 16L * index, 16);
    }

    /** addr, len, id, flags, as they must lie in memory. */
    private static byte[] descriptor(long address, int length, int id, int flags) {
        return ByteBuffer.allocate(16)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .putLong(address)
                .putInt(length)
                .putShort((short) id)
                .putShort((short) flags)
                .array();
    }

    @Test
    void shouldWriteUsedDescriptorOverTheFirstOfTheChain() {
        driver.start(PACKED, 8);
        long buffer = driver.buffer(2000);
        int id = queue(0).add(TestQueue.Part.in(buffer, 20), TestQueue.Part.in(buffer + 20, 1980));
        byte[] second = descriptor(0, 1);
        assertThat(deliver(100, 5)).isEqualTo(Delivery.TAKEN);
        assertThat(descriptor(0, 0)).isEqualTo(descriptor(buffer, 112, id, 0x8082));
        assertThat(descriptor(0, 1)).as("not written").isEqualTo(second);
        assertThat(driver.bytes(buffer + 12, 100)).isEqualTo(frame(100, 5));
        assertThat(queue(0).takeUsed()).containsExactly(new TestQueue.Used(id, 112));
        assertThat(driver.interrupts).containsExactly(1);
    }

    @Test
    void shouldMarkUsedWithTheCounterOfItsRound() {
        driver.start(PACKED, 2);
        int[] flags = new int[5];
        for (int i = 0; i < flags.length; i++) {
            driver.transmit(1, frame(60, i));
            flags[i] = queue(1).flags(i % 2);
            assertThat(queue(1).takeUsed()).hasSize(1);
        }
        assertThat(flags).as("nothing was written").containsExactly(0x8080, 0x8080, 0, 0, 0x8080);
        assertThat(sent).hasSize(5);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 255})
    void shouldUseBuffersInOrderAroundTheRingManyTimes(int size) {
        driver.start(PACKED, size);
        long header = driver.buffer(12);
        long body = driver.buffer(60);
        for (int i = 0; i < 5000; i++) {
            driver.memory.put(driver.at(body), frame(60, i));
            if (size > 1 && i % 3 == 0) {
                queue(1).add(TestQueue.Part.out(header, 12), TestQueue.Part.out(body, 60));
            } else {
                driver.memory.put(driver.at(body) - 12, new byte[12]);
                queue(1).add(TestQueue.Part.out(body - 12, 72));
            }
            queue(1).kick();
            assertThat(queue(1).takeUsed()).hasSize(1);
            assertThat(sent.remove(0)).isEqualTo(frame(60, i));
        }
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
    }

    @Test
    void shouldTransmitAFullRingAtOneNotification() {
        driver.start(PACKED, 7);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 7; i++) {
                byte[] packet = ByteBuffer.allocate(72).put(12, frame(60, i)).array();
                queue(1).add(TestQueue.Part.out(driver.bufferOf(packet), 72));
            }
            queue(1).kick();
            assertThat(queue(1).takeUsed()).hasSize(7);
        }
        assertThat(sent).hasSize(21);
        assertThat(driver.interrupts).containsExactly(2, 2, 2);
    }

    @Test
    void shouldTakeAnIndirectTableWhereOnlyWriteCounts() {
        driver.start(PACKED | TestFunctions.INDIRECT_DESC, 4);
        byte[] frame = frame(1000, 4);
        long body = driver.bufferOf(frame);
        long table = driver.buffer(48);
        queue(1).addIndirect(
                table,
                TestQueue.Part.out(driver.buffer(12), 12),
                TestQueue.Part.out(body, 500),
                TestQueue.Part.out(body + 500, 500));
        // Whatever else is set in the table is not looked at.
        driver.memory.putShort(driver.at(table) + 14, (short) (1 | 4 | 0x8080));
        queue(1).kick();
        assertThat(sent).containsExactly(frame);
        assertThat(queue(1).takeUsed()).hasSize(1);
        assertThat(queue(1).usedAt).isEqualTo(1);
    }

    @Test
    void shouldMergeBuffersAndShowTheFirstLast() {
        driver.start(PACKED | TestFunctions.MRG_RXBUF, 5);
        long[] buffers = new long[5];
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < 3; i++) {
                buffers[i] = driver.buffer(1000);
                queue(0).add(TestQueue.Part.in(buffers[i], 1000));
            }
            assertThat(deliver(2500, round)).isEqualTo(Delivery.TAKEN);
            assertThat(driver.memory.getShort(driver.at(buffers[0]) + 10)).isEqualTo((short) 3);
            assertThat(queue(0).takeUsed()).extracting(TestQueue.Used::length).containsExactly(1000, 1000, 512);
            assertThat(driver.bytes(buffers[2], 512)).isEqualTo(
                    java.util.Arrays.copyOfRange(frame(2500, round), 1988, 2500));
        }
    }

    @Test
    void shouldTakeNothingWhenBuffersDoNotSufficeYet() {
        driver.start(PACKED | TestFunctions.MRG_RXBUF, 4);
        queue(0).add(TestQueue.Part.in(driver.buffer(1024), 1024));
        byte[] before = descriptor(0, 0);
        assertThat(deliver(1500, 1)).isEqualTo(Delivery.NOT_READY);
        assertThat(descriptor(0, 0)).isEqualTo(before);
        queue(0).add(TestQueue.Part.in(driver.buffer(1024), 1024));
        assertThat(deliver(1500, 1)).isEqualTo(Delivery.TAKEN);
        assertThat(queue(0).takeUsed()).hasSize(2);
    }

    @Test
    void shouldNotInterruptWhenDriverDisablesEvents() {
        driver.start(PACKED, 4);
        queue(1).availFlags(1);
        driver.transmit(1, frame(60, 1));
        assertThat(queue(1).takeUsed()).hasSize(1);
        assertThat(driver.interrupts).isEmpty();
        queue(1).availFlags(0);
        driver.transmit(1, frame(60, 1));
        assertThat(driver.interrupts).containsExactly(2);
    }

    @Test
    void shouldInterruptOnlyWhenTheDescriptorOfTheEventWasUsed() {
        driver.start(PACKED | TestFunctions.EVENT_IDX, 3);
        driver.transmit(1, frame(60, 0));
        queue(1).takeUsed();
        driver.interrupts.clear();
        queue(1).driverEvent(0, false);
        driver.transmit(1, frame(60, 1));
        driver.transmit(1, frame(60, 2));
        assertThat(driver.interrupts).as("used 1 and 2 of the first round").isEmpty();
        queue(1).takeUsed();
        driver.transmit(1, frame(60, 3));
        assertThat(driver.interrupts).as("used 0 of the second round").containsExactly(2);
        queue(1).takeUsed();
        driver.transmit(1, frame(60, 4));
        assertThat(driver.interrupts).as("the event is past").containsExactly(2);
    }

    @Test
    void shouldAskForANotificationOfTheNextDescriptorWithEventIdx() {
        driver.start(PACKED | TestFunctions.EVENT_IDX, 2);
        driver.transmit(1, frame(60, 0));
        assertThat(queue(1).deviceEventFlags()).isEqualTo(2);
        assertThat(queue(1).deviceEventOffWrap()).isEqualTo(0x8001);
        queue(1).takeUsed();
        driver.transmit(1, frame(60, 1));
        assertThat(queue(1).deviceEventOffWrap()).as("second round").isEqualTo(0);
    }

    @Test
    void shouldWantEveryNotificationWithoutEventIdx() {
        driver.start(PACKED, 2);
        driver.transmit(1, frame(60, 0));
        assertThat(queue(1).deviceEventFlags()).isZero();
    }

    @Test
    void shouldBeginAnewWhenTheQueueIsResetAndEnabled() {
        driver.start(PACKED | TestFunctions.RING_RESET, 4);
        driver.transmit(1, frame(60, 0));
        driver.write(TestDriver.QUEUE_SELECT, 2, 1);
        driver.write(TestDriver.QUEUE_RESET, 2, 1);
        driver.enableQueue(1, 4, 2);
        driver.transmit(1, frame(60, 1));
        assertThat(queue(1).takeUsed()).hasSize(1);
        assertThat(sent).hasSize(2);
    }

    @Test
    void shouldRefuseAreasThatAreNotAlignedForPackedQueues() {
        driver.start(PACKED | TestFunctions.RING_RESET, 4);
        driver.write(TestDriver.QUEUE_SELECT, 2, 1);
        driver.write(TestDriver.QUEUE_RESET, 2, 1);
        driver.write64(TestDriver.QUEUE_DRIVER, TestDriver.BASE + 0x1002);
        driver.write(TestDriver.QUEUE_ENABLE, 2, 1);
        assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).as("2 is enough for a split one").isZero();
        driver.write64(TestDriver.QUEUE_DRIVER, TestDriver.BASE + 0x1004);
        driver.write(TestDriver.QUEUE_ENABLE, 2, 1);
        assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).isEqualTo(1);
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                fault("no end", queue -> {
                    for (int i = 0; i < 4; i++) {
                        queue.packed(queue.desc, i, TestDriver.BASE, 72, 0, TestPackedQueue.AVAIL | TestQueue.NEXT);
                    }
                }),
                fault("no memory", queue -> queue.packed(queue.desc, 0, 1, 72, 0, TestPackedQueue.AVAIL)),
                fault("2 GiB", queue ->
                        queue.packed(queue.desc, 0, TestDriver.BASE, 1 << 31, 0, TestPackedQueue.AVAIL)),
                fault("readable behind writable", queue -> {
                    queue.packed(queue.desc, 1, TestDriver.BASE, 72, 0, TestPackedQueue.AVAIL);
                    queue.packed(queue.desc, 0, TestDriver.BASE, 72, 0, TestPackedQueue.AVAIL | TestQueue.WRITE | 1);
                }),
                fault("indirect in a list", queue -> {
                    queue.packed(queue.desc, 1, TestDriver.BASE + 64, 16, 0, TestPackedQueue.AVAIL | 4);
                    queue.packed(queue.desc, 0, TestDriver.BASE, 72, 0, TestPackedQueue.AVAIL | TestQueue.NEXT);
                }),
                fault("indirect with next", queue ->
                        queue.packed(queue.desc, 0, TestDriver.BASE + 64, 16, 0, TestPackedQueue.AVAIL | 4 | 1)),
                fault("table of 15 bytes", queue ->
                        queue.packed(queue.desc, 0, TestDriver.BASE + 64, 15, 0, TestPackedQueue.AVAIL | 4)),
                fault("table longer than the queue", queue ->
                        queue.packed(queue.desc, 0, TestDriver.BASE + 64, 80, 0, TestPackedQueue.AVAIL | 4)));
    }

    private static Arguments fault(String why, Consumer<TestPackedQueue> setUp) {
        return Arguments.of(why, setUp);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void shouldNeedAResetWhenTheRingBreaksARule(String why, Consumer<TestPackedQueue> setUp) {
        driver.start(PACKED | TestFunctions.INDIRECT_DESC, 4);
        setUp.accept(queue(1));
        queue(1).kick();
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).as(why).isEqualTo(15 | NEEDS_RESET);
        assertThat(driver.interrupts).containsExactly(0);
        assertThat(sent).isEmpty();
        driver.start(PACKED, 4).transmit(1, frame(60, 7));
        assertThat(sent).as("after a reset").hasSize(1);
    }

    @Test
    void shouldNeedAResetWhenIndirectIsNotNegotiated() {
        driver.start(PACKED, 4);
        queue(1).addIndirect(driver.buffer(16), TestQueue.Part.out(driver.buffer(72), 72));
        queue(1).kick();
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15 | NEEDS_RESET);
    }

    @Test
    void shouldPerformControlCommands() {
        driver.start(PACKED | TestFunctions.CTRL_VQ | TestFunctions.CTRL_RX, 4);
        for (int i = 0; i < 9; i++) {
            assertThat(driver.control(2, 0, 0, (byte) (i & 1))).isZero();
        }
        assertThat(driver.control(2, 0, 0, (byte) 2)).isEqualTo(1);
    }
}
