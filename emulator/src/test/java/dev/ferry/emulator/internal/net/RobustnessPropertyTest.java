// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.virtio.AdminResult;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever a guest writes: no access hangs or throws, and a reset makes the device work again. */
class RobustnessPropertyTest {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final VirtioNetFunction function = TestFunctions.function(2);

    private void mustWorkAfterReset() {
        function.setStopped(false);
        TestDriver driver = new TestDriver(function);
        List<byte[]> sent = TestFunctions.sink(function);
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, TestFunctions.frame(60, 7));
        assertThat(sent).containsExactly(TestFunctions.frame(60, 7));
    }

    private void mustMove() {
        function.setStopped(true);
        byte[] parts = TestFunctions.capture(function);
        VirtioNetFunction other = TestFunctions.function(2);
        other.setStopped(true);
        assertThat(other.loadParts(ByteBuffer.wrap(parts))).isEqualTo(AdminResult.SUCCESS);
        assertThat(TestFunctions.capture(other)).isEqualTo(parts);
        other.setStopped(false);
    }

    @Property(tries = 300)
    void shouldSurviveRandomRegisterAccesses(@ForAll long seed) {
        Random random = new Random(seed);
        TestDriver driver = new TestDriver(function);
        if (random.nextBoolean()) {
            driver.start(TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.CTRL_RX, 16);
        }
        assertTimeoutPreemptively(LIMIT, () -> {
            for (int i = 0; i < 200; i++) {
                access(driver, random);
            }
        });
        mustMove();
        mustWorkAfterReset();
    }

    private void access(TestDriver driver, Random random) {
        int size = 1 << random.nextInt(4);
        long value = random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(16);
        switch (random.nextInt(8)) {
            case 0 -> function.writeConfig(random.nextInt(-4, 4100), Math.min(size, 4), value);
            case 1 -> function.readConfig(random.nextInt(-4, 4100), Math.min(size, 4));
            case 2 -> function.writeBar(random.nextInt(-1, 7), random.nextLong(), size, value);
            case 3 -> function.readBar(random.nextInt(6), random.nextInt(0x4100), size);
            case 4 -> function.writeBar(driver.table.bar(), random.nextInt(0x4000), size, value);
            case 5 -> driver.notify(random.nextInt(6));
            default -> driver.write(random.nextInt(32) * 2 + random.nextInt(2), size, value);
        }
    }

    @Property(tries = 500)
    void shouldSurviveRandomRings(@ForAll long seed, @ForAll @IntRange(max = 3) int plausibility) {
        Random random = new Random(seed);
        TestDriver driver = new TestDriver(function)
                .start(
                        TestFunctions.VERSION_1
                                | TestFunctions.CTRL_VQ
                                | TestFunctions.CTRL_RX
                                | TestFunctions.MRG_RXBUF
                                | TestFunctions.INDIRECT_DESC
                                | (random.nextBoolean() ? TestFunctions.EVENT_IDX : 0),
                        16);
        byte[] frame = TestFunctions.frame(1500, 1);
        assertTimeoutPreemptively(LIMIT, () -> {
            for (int i = 0; i < 20; i++) {
                fill(driver, driver.queue(random.nextInt(3)), random, plausibility);
                driver.notify(random.nextInt(3));
                function.deliver(ByteBuffer.wrap(frame));
            }
        });
        mustMove();
        mustWorkAfterReset();
    }

    @Property(tries = 500)
    void shouldSurviveRandomPackedRings(@ForAll long seed, @ForAll @IntRange(max = 3) int plausibility) {
        Random random = new Random(seed);
        int size = 1 + random.nextInt(16);
        TestDriver driver = new TestDriver(function)
                .start(
                        TestFunctions.VERSION_1
                                | TestFunctions.RING_PACKED
                                | TestFunctions.CTRL_VQ
                                | TestFunctions.CTRL_RX
                                | TestFunctions.MRG_RXBUF
                                | TestFunctions.INDIRECT_DESC
                                | (random.nextBoolean() ? TestFunctions.EVENT_IDX : 0),
                        size);
        byte[] frame = TestFunctions.frame(1500, 1);
        assertTimeoutPreemptively(LIMIT, () -> {
            for (int i = 0; i < 20; i++) {
                fillPacked((TestPackedQueue) driver.queue(random.nextInt(3)), random, plausibility);
                driver.notify(random.nextInt(3));
                function.deliver(ByteBuffer.wrap(frame));
            }
        });
        mustMove();
        mustWorkAfterReset();
    }

    /** Descriptors of this round, of the next and of none, and an event structure. */
    private static void fillPacked(TestPackedQueue queue, Random random, int plausibility) {
        for (int i = 0; i < queue.size; i++) {
            boolean plausible = random.nextInt(4) < plausibility;
            long address = plausible ? TestDriver.BASE + random.nextInt(TestDriver.MEMORY) : random.nextLong();
            int length = plausible ? random.nextInt(3000) : random.nextInt();
            int round = random.nextBoolean() ? TestPackedQueue.AVAIL : random.nextInt(0x10000) & 0x8080;
            int flags = random.nextInt(plausible ? 4 : 8) | round;
            queue.packed(queue.desc, i, address, length, random.nextInt(0x10000), flags);
        }
        queue.driverEvent(random.nextInt(0x8000), random.nextBoolean());
    }

    @Example
    void shouldNeedResetWhenAnIndirectTableLiesInItself() {
        TestDriver driver = new TestDriver(function)
                .start(TestFunctions.VERSION_1 | TestFunctions.INDIRECT_DESC, 16);
        long table = driver.buffer(16);
        driver.queue(1).descriptor(table, 0, table, 16, TestQueue.INDIRECT, 0);
        driver.queue(1).descriptor(driver.queue(1).desc, 0, table, 16, TestQueue.INDIRECT, 0);
        driver.queue(1).offer(0);
        assertTimeoutPreemptively(LIMIT, () -> driver.queue(1).kick());
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15 | 64);
        mustWorkAfterReset();
    }

    /** Descriptors, the more plausible the higher the number, and a jump of the available index. */
    private static void fill(TestDriver driver, TestQueue queue, Random random, int plausibility) {
        for (int i = 0; i < 16; i++) {
            boolean plausible = random.nextInt(4) < plausibility;
            long address = plausible
                    ? TestDriver.BASE + random.nextInt(TestDriver.MEMORY)
                    : random.nextLong();
            int length = plausible ? random.nextInt(3000) : random.nextInt();
            queue.descriptor(queue.desc, i, address, length, random.nextInt(plausible ? 4 : 8), random.nextInt(18));
            queue.descriptor(TestDriver.BASE + 0x3_0000, i, address, length, random.nextInt(8), random.nextInt(18));
            int slot = driver.at(queue.avail) + 4 + 2 * i;
            driver.memory.putShort(slot, (short) random.nextInt(plausible ? 16 : 0x10000));
        }
        queue.descriptor(queue.desc, random.nextInt(16), TestDriver.BASE + 0x3_0000, 256, 4, 0);
        int ahead = random.nextInt(4) == 0 ? random.nextInt(0x10000) : random.nextInt(17);
        driver.memory.putShort(driver.at(queue.avail) + 2, (short) (queue.deviceUsedIdx() + ahead));
    }

    @Provide
    Arbitrary<byte[]> noise() {
        return Arbitraries.bytes().array(byte[].class).ofMaxSize(200);
    }

    @Property(tries = 1000)
    void shouldKeepItsStateWhenRandomBytesAreRefused(@ForAll("noise") byte[] parts) {
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        if (!function.loadParts(ByteBuffer.wrap(parts)).isOk()) {
            assertThat(TestFunctions.capture(function)).isEqualTo(before);
        }
    }

    @Property(tries = 1000)
    void shouldKeepItsStateWhenDamagedPartsAreRefused(@ForAll long seed) {
        Random random = new Random(seed);
        TestDriver driver = new TestDriver(function)
                .start(TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.CTRL_VLAN, 16);
        driver.control(2, 2, 0, (byte) 5, (byte) 0);
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        byte[] damaged = before.clone();
        for (int i = random.nextInt(3); i >= 0; i--) {
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
        }
        int length = random.nextInt(4) == 0 ? random.nextInt(damaged.length) : damaged.length;
        AdminResult result = function.loadParts(ByteBuffer.wrap(damaged, 0, length));
        byte[] after = TestFunctions.capture(function);
        if (!result.isOk()) {
            assertThat(after).isEqualTo(before);
        }
        VirtioNetFunction other = TestFunctions.function(2);
        other.setStopped(true);
        assertThat(other.loadParts(ByteBuffer.wrap(after)).isOk()).as("what is held can move").isTrue();
        mustWorkAfterReset();
    }
}
