// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Whatever a driver did to a device: its parts, loaded into a device of another address that was used before, come out
 * again byte for byte. The order and lengths of the parts are read from the bytes.
 */
class RecapturePropertyTest {

    private static final long OPTIONAL_FEATURES = TestFunctions.MRG_RXBUF
            | TestFunctions.STATUS
            | TestFunctions.CTRL_RX
            | TestFunctions.CTRL_VLAN
            | TestFunctions.CTRL_RX_EXTRA
            | TestFunctions.GUEST_ANNOUNCE
            | TestFunctions.CTRL_MAC_ADDR
            | TestFunctions.INDIRECT_DESC
            | TestFunctions.EVENT_IDX
            | TestFunctions.RING_PACKED
            | TestFunctions.RING_RESET
            | TestFunctions.HASH_REPORT;
    private static final long MULTIQUEUE = TestFunctions.MQ | TestFunctions.RSS;

    private Random random;
    private int pairs;
    private VirtioNetFunction function;
    private TestDriver driver;
    private int control;

    private VirtioNetFunction function(int address) {
        byte[] mac = {0x52, 0x54, 0, 0, 0, (byte) address};
        return new VirtioNetFunction(
                new FunctionConfig("h/vf" + address, mac, pairs, 256, FunctionConfig.defaultFeatures(pairs)));
    }

    @Property(tries = 600)
    void shouldBeByteIdenticalWhenCapturedAgain(@ForAll long seed) {
        random = new Random(seed);
        pairs = 1 + random.nextInt(3);
        function = function(1);
        driver = new TestDriver(function);
        use();
        function.setStopped(true);
        byte[] first = TestFunctions.capture(function);
        assertThat(TestFunctions.capture(function)).as("repeatable").isEqualTo(first);
        checkOrder(first);
        assertThat(headers(first)).isEqualTo(function.partHeaders());
        assertThat(first.length).isLessThanOrEqualTo(function.maxPartsSize());

        function = function(2);
        driver = new TestDriver(function);
        if (random.nextBoolean()) {
            use();
        }
        function.setStopped(true);
        assertThat(function.loadParts(ByteBuffer.wrap(first))).isEqualTo(AdminResult.SUCCESS);
        assertThat(TestFunctions.capture(function)).isEqualTo(first);
        assertThat(function.loadParts(ByteBuffer.wrap(first))).as("again").isEqualTo(AdminResult.SUCCESS);
        assertThat(TestFunctions.capture(function)).isEqualTo(first);
    }

    @Property(tries = 300)
    void shouldStayTheSameWhenItTakesOneOfItsOwnParts(@ForAll long seed) {
        random = new Random(seed);
        pairs = 1 + random.nextInt(3);
        function = function(1);
        driver = new TestDriver(function);
        use();
        function.setStopped(true);
        byte[] all = TestFunctions.capture(function);
        boolean hasRss = headers(all).stream().anyMatch(RecapturePropertyTest::isRss);
        int offset = 0;
        for (DevicePart header : headers(all)) {
            int length = 16 + (int) header.length();
            // The number of pairs ends RSS, as its command does.
            if (header.type() != 0x200 || header.selector() != 4 || !hasRss) {
                assertThat(function.loadParts(ByteBuffer.wrap(all, offset, length)))
                        .as(header.toString())
                        .isEqualTo(AdminResult.SUCCESS);
                assertThat(TestFunctions.capture(function)).as(header.toString()).isEqualTo(all);
            }
            offset += length;
        }
    }

    private static boolean isRss(DevicePart part) {
        return part.type() == 0x200 && part.selector() == 0x104;
    }

    /** A driver in the middle of anything. */
    private void use() {
        long features = TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | random.nextLong() & OPTIONAL_FEATURES;
        if (pairs > 1) {
            features |= random.nextLong() & MULTIQUEUE;
        }
        control = (features & MULTIQUEUE) != 0 ? 2 * pairs : 2;
        if (random.nextInt(4) == 0) {
            beginSetUp(features);
        } else {
            driver.start(features, 1 << 1 + random.nextInt(5));
            for (int i = random.nextInt(30); i > 0; i--) {
                act(features);
            }
        }
        for (int i = random.nextInt(4); i > 0; i--) {
            driver.write(new int[] {0, 8, 16, 22}[random.nextInt(4)], 4 >> random.nextInt(2), random.nextInt());
        }
    }

    /** Ends anywhere before DRIVER_OK. */
    private void beginSetUp(long features) {
        int steps = random.nextInt(6);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        if (steps > 0) {
            driver.write(TestDriver.DEVICE_STATUS, 1, 1 + 2 * random.nextInt(2));
        }
        if (steps > 1) {
            driver.takeFeatures(random.nextBoolean() ? features : random.nextLong());
        }
        if (steps > 2) {
            driver.takeFeatures(features);
            driver.write(TestDriver.DEVICE_STATUS, 1, 11);
        }
        for (int i = 0; i < steps - 2; i++) {
            driver.write(TestDriver.QUEUE_SELECT, 2, random.nextInt(2 * pairs + 2));
            driver.write(TestDriver.QUEUE_SIZE, 2, random.nextInt(260));
            driver.write(TestDriver.QUEUE_MSIX_VECTOR, 2, random.nextInt(6));
            driver.write64(TestDriver.QUEUE_DESC, random.nextLong());
            driver.write64(TestDriver.QUEUE_DRIVER, random.nextLong() & -4);
            driver.write64(TestDriver.QUEUE_DEVICE, random.nextLong() & -16);
            driver.write(TestDriver.QUEUE_ENABLE, 2, random.nextInt(2));
        }
    }

    private void act(long features) {
        int queue = random.nextInt(2 * pairs);
        switch (random.nextInt(12)) {
            case 0 -> driver.control(control, 0, random.nextInt(6), (byte) random.nextInt(2));
            case 1 -> driver.control(control, 1, 0, addresses());
            case 2 -> driver.control(control, 1, 1, new byte[] {2, 0, 0, 0, 0, (byte) random.nextInt()});
            case 3 ->
                driver.control(control, 2, random.nextInt(2), (byte) random.nextInt(4), (byte) random.nextInt(17));
            case 4 -> driver.control(control, 4, 0, (byte) (1 + random.nextInt(3)), (byte) 0);
            case 5 -> driver.control(control, 4, 1, rss());
            case 6 -> driver.control(
                    control, 4, 2, key(ByteBuffer.allocate(64).put(0, (byte) random.nextInt(64)).position(12)));
            case 7 -> driver.control(control, 3, 0);
            case 8 -> resetQueue(queue, features);
            case 9 -> receive(queue & ~1);
            default -> transmit(queue | 1);
        }
    }

    private void transmit(int queue) {
        if (driver.read(TestDriver.DEVICE_STATUS, 1) == 15) {
            byte[] packet = new byte[80];
            driver.queue(queue).add(TestQueue.Part.out(driver.bufferOf(packet), 80));
            driver.queue(queue).kick();
            if (driver.queue(queue).takeUsed().isEmpty()) {
                // The queue is reset; nothing was to be sent by it.
                driver.enableQueue(queue, 4, 0);
            }
        }
    }

    private void receive(int queue) {
        if (queue != control && driver.queue(queue).free.size() > 1) {
            driver.queue(queue).add(TestQueue.Part.in(driver.buffer(128), 128));
            function.deliver(ByteBuffer.wrap(TestFunctions.frame(60, 1)));
            driver.queue(queue).takeUsed();
        }
    }

    private void resetQueue(int queue, long features) {
        if (queue != control && (features & TestFunctions.RING_RESET) != 0) {
            driver.write(TestDriver.QUEUE_SELECT, 2, queue);
            driver.write(TestDriver.QUEUE_RESET, 2, 1);
            if (random.nextBoolean()) {
                driver.enableQueue(queue, (features & TestFunctions.RING_PACKED) != 0 ? 3 : 4, random.nextInt(3));
            }
        }
    }

    private byte[] addresses() {
        ByteBuffer data = ByteBuffer.allocate(8 + 6 * 6).order(ByteOrder.LITTLE_ENDIAN);
        for (int table = 0; table < 2; table++) {
            int entries = random.nextInt(4);
            data.putInt(entries);
            for (int i = 0; i < entries; i++) {
                data.put(new byte[] {(byte) (2 + table), 0, 0, 0, 0, (byte) random.nextInt()});
            }
        }
        return java.util.Arrays.copyOf(data.array(), data.position());
    }

    private byte[] rss() {
        int entries = 1 << random.nextInt(8);
        ByteBuffer data = ByteBuffer.allocate(400).order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(random.nextInt(64)).putShort((short) (entries - 1));
        for (int i = 0; i <= entries; i++) {
            data.putShort((short) (random.nextInt(pairs) | random.nextInt(2) << 15));
        }
        return key(data.putShort((short) 1));
    }

    private byte[] key(ByteBuffer data) {
        byte[] key = new byte[random.nextInt(41)];
        random.nextBytes(key);
        data.put((byte) key.length);
        byte[] all = java.util.Arrays.copyOf(data.array(), data.position() + key.length);
        System.arraycopy(key, 0, all, data.position(), key.length);
        return all;
    }

    private static List<DevicePart> headers(byte[] parts) {
        ByteBuffer at = ByteBuffer.wrap(parts).order(ByteOrder.LITTLE_ENDIAN);
        List<DevicePart> found = new ArrayList<>();
        for (int offset = 0; offset < parts.length; offset += 16 + at.getInt(offset + 12)) {
            found.add(new DevicePart(
                    Short.toUnsignedInt(at.getShort(offset)),
                    at.get(offset + 2),
                    at.getLong(offset + 4),
                    at.getInt(offset + 12)));
        }
        return found;
    }

    /** Ascending by type, within a type by offset, queue index, or class and command. */
    private static void checkOrder(byte[] parts) {
        long before = -1;
        for (DevicePart part : headers(parts)) {
            long selector = part.selector();
            long rank = part.type() == 0x200 ? (selector & 0xFF) << 8 | selector >>> 8 : selector;
            long now = (long) part.type() << 32 | rank;
            assertThat(now).isGreaterThan(before);
            before = now;
        }
    }
}
