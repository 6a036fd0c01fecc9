// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The part of type 0xFF00: where the device is in packed virtqueues. */
class PackedPositionTest {

    private static final AdminResult REFUSED = new AdminResult(22, 3);
    private static final long PACKED = TestFunctions.VERSION_1 | TestFunctions.RING_PACKED;

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final TestDriver driver = new TestDriver(function);

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    private String captured() {
        return HexFormat.of().withUpperCase().formatHex(TestFunctions.capture(function));
    }

    private static AdminResult load(VirtioNetFunction into, byte[] parts) {
        return into.loadParts(ByteBuffer.wrap(parts));
    }

    private static String part(int queue, String avail, String used) {
        return "00FF 01 00 0" + queue + "00 000000000000 04000000 " + avail + used;
    }

    @Test
    void shouldGivePositionsOfEnabledPackedQueuesBehindAllOtherParts() {
        driver.start(PACKED, 4);
        for (int i = 0; i < 6; i++) {
            driver.transmit(1, frame(60, i));
            driver.queue(1).takeUsed();
        }
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(100), 100));
        assertThat(function.deliver(ByteBuffer.wrap(frame(60, 1)))).isEqualTo(Delivery.TAKEN);
        String positions = (part(0, "0180", "0180") + part(1, "0200", "0200") + part(2, "0080", "0080"))
                .replace(" ", "");
        assertThat(captured()).endsWith(positions);
        assertThat(function.partHeaders()).endsWith(new DevicePart(0xFF00, 1, 1, 4), new DevicePart(0xFF00, 1, 2, 4));
    }

    @Test
    void shouldGiveNoneOfSplitOrDisabledQueues() {
        driver.start(TestFunctions.VERSION_1, 4);
        assertThat(function.partHeaders()).noneMatch(part -> part.type() == 0xFF00);
        driver.start(PACKED | TestFunctions.RING_RESET, 4);
        driver.write(TestDriver.QUEUE_SELECT, 2, 1);
        driver.write(TestDriver.QUEUE_RESET, 2, 1);
        assertThat(function.partHeaders())
                .filteredOn(part -> part.type() == 0xFF00)
                .extracting(DevicePart::selector)
                .containsExactly(0L, 2L);
    }

    @Test
    void shouldGiveItWhenItIsSelected() {
        driver.start(PACKED, 4).transmit(1, frame(60, 1));
        ByteBuffer into = ByteBuffer.allocate(100);
        List<DevicePart> wanted = List.of(new DevicePart(0xFF00, 0, 1, 0), new DevicePart(0xFF00, 0, 9, 0));
        assertThat(function.captureParts(wanted, into)).isTrue();
        byte[] got = new byte[into.flip().remaining()];
        into.get(got);
        assertThat(got).isEqualTo(hex(part(1, "0180", "0180")));
    }

    @Test
    void shouldGoOnInPlaceAfterALoad() {
        driver.start(PACKED, 4);
        for (int i = 0; i < 7; i++) {
            driver.transmit(1, frame(60, i));
            driver.queue(1).takeUsed();
        }
        function.setStopped(true);
        driver.transmit(1, frame(60, 7));
        VirtioNetFunction destination = TestFunctions.function(1);
        List<byte[]> sentThere = TestFunctions.sink(destination);
        destination.setStopped(true);
        assertThat(load(destination, TestFunctions.capture(function))).isEqualTo(AdminResult.SUCCESS);
        assertThat(TestFunctions.capture(destination)).isEqualTo(TestFunctions.capture(function));
        TestDriver there = driver.movedTo(destination);
        destination.setStopped(false);
        assertThat(sentThere).as("the notification came at the source").containsExactly(frame(60, 7));
        assertThat(there.queue(1).takeUsed()).hasSize(1);
    }

    @Test
    void shouldRefuseARunningPackedDeviceOfWhichNoPositionIsKnown() {
        driver.start(PACKED, 4);
        function.setStopped(true);
        byte[] all = TestFunctions.capture(function);
        VirtioNetFunction destination = TestFunctions.function(1);
        destination.setStopped(true);
        byte[] before = TestFunctions.capture(destination);
        assertThat(load(destination, java.util.Arrays.copyOf(all, all.length - 20)))
                .as("queue 2 is missing")
                .isEqualTo(REFUSED);
        assertThat(TestFunctions.capture(destination)).isEqualTo(before);
        assertThat(load(destination, all)).isEqualTo(AdminResult.SUCCESS);
    }

    @Test
    void shouldTakeTheBeginningWhereTheDeviceHasNotTouchedItsQueuesYet() {
        driver.start(PACKED, 4);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        driver.write(TestDriver.DEVICE_STATUS, 1, 3);
        driver.takeFeatures(PACKED);
        driver.write(TestDriver.DEVICE_STATUS, 1, 11);
        driver.enableQueue(1, 4, 2);
        function.setStopped(true);
        byte[] all = TestFunctions.capture(function);
        VirtioNetFunction destination = TestFunctions.function(1);
        List<byte[]> sentThere = TestFunctions.sink(destination);
        destination.setStopped(true);
        assertThat(load(destination, java.util.Arrays.copyOf(all, all.length - 20))).isEqualTo(AdminResult.SUCCESS);
        assertThat(TestFunctions.capture(destination)).isEqualTo(all);
        TestDriver there = driver.movedTo(destination);
        destination.setStopped(false);
        there.write(TestDriver.DEVICE_STATUS, 1, 15);
        there.transmit(1, frame(60, 1));
        assertThat(sentThere).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "descriptor 4 of 4, 00FF 01 00 0100 000000000000 04000000 04800480",
        "another used position, 00FF 01 00 0100 000000000000 04000000 01800080",
        "3 bytes, 00FF 01 00 0100 000000000000 03000000 018001",
        "8 bytes, 00FF 01 00 0100 000000000000 08000000 0180018000000000",
        "mandatory for a queue that does not exist, 00FF 00 00 0300 000000000000 04000000 00800080",
        "twice, 00FF0100010000000000000004000000 00800080 00FF0100010000000000000004000000 00800080",
    })
    void shouldRefusePosition(String why, String part) {
        driver.start(PACKED, 4);
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        assertThat(load(function, hex(part))).as(why).isEqualTo(REFUSED);
        assertThat(TestFunctions.capture(function)).isEqualTo(before);
    }

    @Test
    void shouldTakeAPositionAlone() {
        driver.start(PACKED, 4);
        function.setStopped(true);
        assertThat(load(function, hex(part(1, "0300", "0300")))).isEqualTo(AdminResult.SUCCESS);
        assertThat(captured()).contains(part(1, "0300", "0300").replace(" ", ""));
    }

    @Test
    void shouldIgnoreAPositionOfSplitQueues() {
        driver.start(TestFunctions.VERSION_1, 4);
        function.setStopped(true);
        String before = captured();
        assertThat(load(function, hex(part(1, "0300", "0300")))).isEqualTo(AdminResult.SUCCESS);
        assertThat(captured()).isEqualTo(before);
    }

    @Test
    void shouldRefuseAQueueThatIsNoneOfTheFormatThatIsNegotiatedThen() {
        driver.start(PACKED, 3);
        function.setStopped(true);
        assertThat(load(function, hex("0101 00 00 0000000000000000 08000000 0000000001000000")))
                .as("a split queue of 3")
                .isEqualTo(REFUSED);
    }
}
