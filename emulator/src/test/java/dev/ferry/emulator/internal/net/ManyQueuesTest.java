// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Functions with as many queue pairs as hardware has, and as there can be. */
class ManyQueuesTest {

    private static final int AREA = 0x100;
    private static final int SIZE = 4;

    /** Takes all queues into use, in little memory. */
    private static TestDriver start(VirtioNetFunction function, long features) {
        TestDriver driver = new TestDriver(function);
        driver.write(TestDriver.DEVICE_STATUS, 1, 3);
        driver.takeFeatures(features);
        driver.write(TestDriver.DEVICE_STATUS, 1, 11);
        driver.enableMsix();
        for (int i = 0; i < driver.read(TestDriver.NUM_QUEUES, 2); i++) {
            long base = TestDriver.BASE + (long) i * AREA;
            TestQueue queue = (features & TestFunctions.RING_PACKED) != 0
                    ? new TestPackedQueue(driver, i, SIZE, base)
                    : new TestQueue(driver, i, SIZE, base);
            driver.queues.put(i, queue);
            driver.write(TestDriver.QUEUE_SELECT, 2, i);
            driver.write(TestDriver.QUEUE_SIZE, 2, SIZE);
            driver.write(TestDriver.QUEUE_MSIX_VECTOR, 2, i + 1);
            driver.write64(TestDriver.QUEUE_DESC, queue.desc);
            driver.write64(TestDriver.QUEUE_DRIVER, queue.avail);
            driver.write64(TestDriver.QUEUE_DEVICE, queue.used);
            driver.write(TestDriver.QUEUE_ENABLE, 2, 1);
        }
        driver.write(TestDriver.DEVICE_STATUS, 1, 15);
        return driver;
    }

    @ParameterizedTest
    @CsvSource({"128,false", "128,true", "255,false", "255,true"})
    void shouldNotifyInterruptAndMoveEveryQueue(int pairs, boolean packed) {
        VirtioNetFunction function = TestFunctions.function(pairs);
        long features = TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.MQ;
        TestDriver driver = start(function, features | (packed ? TestFunctions.RING_PACKED : 0));
        List<byte[]> sent = TestFunctions.sink(function);
        for (int queue = 1; queue < 2 * pairs; queue += 2) {
            driver.transmit(queue, TestFunctions.frame(60, queue));
            assertThat(sent.remove(0)).isEqualTo(TestFunctions.frame(60, queue));
            assertThat(driver.interrupts.remove(0)).isEqualTo(queue + 1);
        }
        assertThat(driver.control(2 * pairs, 4, 0, (byte) pairs, (byte) (pairs >>> 8))).isZero();
        assertThat(driver.interrupts).containsExactly(2 * pairs + 1);

        function.setStopped(true);
        byte[] parts = TestFunctions.capture(function);
        VirtioNetFunction destination = TestFunctions.function(pairs);
        destination.setStopped(true);
        assertThat(destination.loadParts(ByteBuffer.wrap(parts)).isOk()).isTrue();
        assertThat(TestFunctions.capture(destination)).isEqualTo(parts);
        assertThat(parts.length).isLessThanOrEqualTo(destination.maxPartsSize());
        int perQueue = 48 + 24 + (packed ? 20 : 0);
        assertThat(parts.length).isGreaterThan((2 * pairs + 1) * perQueue);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 128, 255})
    void shouldHoldItsTablesInItsBars(int pairs) {
        VirtioNetFunction function = TestFunctions.function(pairs);
        TestDriver driver = new TestDriver(function);
        int vectors = ((int) function.readConfig(driver.msixCap + 2, 2) & 0x7FF) + 1;
        assertThat(vectors).isEqualTo(2 * pairs + 2);
        assertThat(driver.table.offset() + 16L * vectors).isLessThanOrEqualTo(driver.pending.offset());
        assertThat(driver.pending.offset() + (vectors + 63) / 64 * 8)
                .isLessThanOrEqualTo(function.barSize(driver.pending.bar()));
        assertThat(driver.notify.length()).isEqualTo((2 * pairs + 1) * driver.multiplier);
        assertThat(driver.notify.offset() + driver.notify.length())
                .isLessThanOrEqualTo(function.barSize(driver.notify.bar()));
    }
}
