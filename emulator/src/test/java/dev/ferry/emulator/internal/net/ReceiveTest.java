// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiveTest {

    private final VirtioNetFunction function = TestFunctions.function(4);
    private final TestDriver driver = new TestDriver(function);

    private Delivery deliver(byte[] frame) {
        return function.deliver(ByteBuffer.wrap(frame));
    }

    /** Header, then frame, as they must lie in memory. */
    private static byte[] packet(byte[] frame, int buffers) {
        return ByteBuffer.allocate(12 + frame.length)
                .put(10, (byte) buffers)
                .put(11, (byte) (buffers >>> 8))
                .put(12, frame)
                .array();
    }

    @ParameterizedTest
    @ValueSource(ints = {14, 60, 1514, 65535, 65550})
    void shouldPutFrameIntoOneBuffer(int length) {
        driver.start(TestFunctions.VERSION_1, 16);
        long buffer = driver.buffer(65562);
        driver.queue(0).add(TestQueue.Part.in(buffer, 65562));
        assertThat(deliver(frame(length, 1))).isEqualTo(Delivery.TAKEN);
        assertThat(driver.queue(0).takeUsed()).containsExactly(new TestQueue.Used(0, 12 + length));
        assertThat(driver.bytes(buffer, 12 + length)).isEqualTo(packet(frame(length, 1), 1));
        assertThat(driver.interrupts).containsExactly(1);
    }

    @Test
    void shouldScatterFrameOverDescriptorsOfOneBuffer() {
        driver.start(TestFunctions.VERSION_1, 16);
        long buffer = driver.buffer(2000);
        driver.queue(0)
                .add(
                        TestQueue.Part.in(buffer, 7),
                        TestQueue.Part.in(buffer + 7, 10),
                        TestQueue.Part.in(buffer + 17, 1983));
        assertThat(deliver(frame(1514, 1))).isEqualTo(Delivery.TAKEN);
        assertThat(driver.bytes(buffer, 1526)).isEqualTo(packet(frame(1514, 1), 1));
    }

    @Test
    void shouldMergeBuffersOf4096BytesForFrameOf64KiB() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.MRG_RXBUF, 32);
        long buffers = driver.buffer(32 * 4096);
        for (int i = 0; i < 32; i++) {
            driver.queue(0).add(TestQueue.Part.in(buffers + 4096L * i, 4096));
        }
        assertThat(deliver(frame(65_536, 1))).isEqualTo(Delivery.TAKEN);
        List<TestQueue.Used> used = driver.queue(0).takeUsed();
        assertThat(used).hasSize(17);
        assertThat(used.get(16)).isEqualTo(new TestQueue.Used(16, 12 + 65_536 - 16 * 4096));
        assertThat(driver.bytes(buffers, 12 + 65_536)).isEqualTo(packet(frame(65_536, 1), 17));
        assertThat(driver.interrupts).containsExactly(1);
    }

    @Test
    void shouldTakeNothingWhenBuffersDoNotSufficeYet() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.MRG_RXBUF, 8);
        long buffers = driver.buffer(8 * 1024);
        driver.queue(0).add(TestQueue.Part.in(buffers, 1024));
        assertThat(deliver(frame(1500, 1))).isEqualTo(Delivery.NOT_READY);
        assertThat(driver.queue(0).deviceUsedIdx()).isZero();
        driver.queue(0).add(TestQueue.Part.in(buffers + 1024, 1024));
        assertThat(deliver(frame(1500, 1))).isEqualTo(Delivery.TAKEN);
        assertThat(driver.queue(0).takeUsed()).hasSize(2);
    }

    @Test
    void shouldSayTooLongWhenTheWholeRingCannotHoldTheFrame() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.MRG_RXBUF, 2);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(100), 100));
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(100), 100));
        assertThat(deliver(frame(300, 1))).isEqualTo(Delivery.TOO_LONG);
        assertThat(deliver(frame(180, 1))).isEqualTo(Delivery.TAKEN);
    }

    @Test
    void shouldSayTooLongWhenBufferIsTooSmallAndMayNotBeMerged() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(1526), 1526));
        assertThat(deliver(frame(1515, 1))).isEqualTo(Delivery.TOO_LONG);
        assertThat(deliver(frame(1514, 1))).isEqualTo(Delivery.TAKEN);
        assertThat(deliver(new byte[65_551])).isEqualTo(Delivery.TOO_LONG);
    }

    @Test
    void shouldNotBeReadyWhenThereIsNoBufferOrNoDriver() {
        assertThat(deliver(frame(60, 1))).isEqualTo(Delivery.NOT_READY);
        driver.start(TestFunctions.VERSION_1, 16);
        assertThat(deliver(frame(60, 1))).isEqualTo(Delivery.NOT_READY);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(100), 100));
        function.setStopped(true);
        assertThat(deliver(frame(60, 1))).isEqualTo(Delivery.NOT_READY);
        function.setStopped(false);
        function.detach();
        assertThat(deliver(frame(60, 1))).isEqualTo(Delivery.NOT_READY);
        function.attach(driver.dma, driver);
        assertThat(deliver(frame(60, 1))).isEqualTo(Delivery.TAKEN);
    }

    @Test
    void shouldNeedResetWhenReceiveBufferHasNoRoomForTheHeader() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.MRG_RXBUF, 16);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(11), 11));
        assertThat(deliver(frame(60, 1))).isEqualTo(Delivery.NOT_READY);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1) & 64).isEqualTo(64);
    }

    @Test
    void shouldUseFirstQueueOnlyUntilPairsAreSetThenSpreadFlowsInOrder() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.MQ, 64);
        for (int queue = 0; queue < 8; queue += 2) {
            for (int i = 0; i < 64; i++) {
                driver.queue(queue).add(TestQueue.Part.in(driver.buffer(128), 128));
            }
        }
        assertThat(queuesOfFlows(16)).containsExactly(0);
        assertThat(driver.control(8, 4, 0, (byte) 3, (byte) 0)).isZero();
        assertThat(queuesOfFlows(16)).containsExactlyInAnyOrder(0, 2, 4);
    }

    private Set<Integer> queuesOfFlows(int flows) {
        Set<Integer> queues = new HashSet<>();
        for (int flow = 0; flow < flows; flow++) {
            Set<Integer> ofFlow = new HashSet<>();
            for (int i = 0; i < 2; i++) {
                assertThat(deliver(udp(flow))).isEqualTo(Delivery.TAKEN);
                for (int queue = 0; queue < 8; queue += 2) {
                    if (!driver.queue(queue).takeUsed().isEmpty()) {
                        ofFlow.add(queue);
                        driver.queue(queue).add(TestQueue.Part.in(driver.buffer(128), 128));
                    }
                }
            }
            assertThat(ofFlow).as("flow %d", flow).hasSize(1);
            queues.addAll(ofFlow);
        }
        return queues;
    }

    private static byte[] udp(int flow) {
        byte[] frame = new byte[60];
        System.arraycopy(TestFunctions.MAC, 0, frame, 0, 6);
        ByteBuffer.wrap(frame)
                .putShort(12, (short) 0x0800)
                .put(14, (byte) 0x45)
                .put(23, (byte) 17)
                .putInt(26, 0x0A000001)
                .putInt(30, 0x0A000002)
                .putShort(34, (short) (4000 + flow))
                .putShort(36, (short) 53);
        return frame;
    }

    @Test
    void shouldNotChangeTheFrameItIsGiven() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(100), 100));
        byte[] content = new byte[80];
        System.arraycopy(frame(60, 1), 0, content, 10, 60);
        byte[] before = Arrays.copyOf(content, 80);
        ByteBuffer frame = ByteBuffer.wrap(content, 10, 60);
        assertThat(function.deliver(frame)).isEqualTo(Delivery.TAKEN);
        assertThat(frame.position()).isEqualTo(10);
        assertThat(frame.remaining()).isEqualTo(60);
        assertThat(content).isEqualTo(before);
    }
}
