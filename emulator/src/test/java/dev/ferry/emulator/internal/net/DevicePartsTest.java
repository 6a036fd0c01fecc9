// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DevicePartsTest {

    private static final AdminResult REFUSED = new AdminResult(22, 3);
    private static final AdminResult NOT_STOPPED = new AdminResult(22, 1);

    private static final String DEV_FEATURES = "0001 01 00 0000000000000000 08000000 2080BF3017010002";
    private static final String DRV_FEATURES = "0101 00 00 0000000000000000 08000000 ";
    private static final String MAC = "0002 00 00 0101 000000000000 06000000 ";
    private static final String STATUS = "0301 00 00 0000000000000000 01000000 ";

    private static final long ALL = TestFunctions.VERSION_1
            | TestFunctions.CTRL_VQ
            | TestFunctions.CTRL_RX
            | TestFunctions.CTRL_RX_EXTRA
            | TestFunctions.CTRL_VLAN
            | TestFunctions.CTRL_MAC_ADDR;

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final TestDriver driver = new TestDriver(function);

    private static byte[] hex(String... parts) {
        return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
    }

    private AdminResult load(String... parts) {
        return function.loadParts(ByteBuffer.wrap(hex(parts)));
    }

    @Test
    void shouldGiveEveryPartInTableOrderWhenDeviceIsNew() {
        List<String> expected = new ArrayList<>(List.of(
                DEV_FEATURES,
                DRV_FEATURES + "0000000000000000",
                "0201 00 00 00000000 00000000 04000000 00000000",
                "0201 00 00 08000000 00000000 04000000 00000000",
                "0201 00 00 10000000 00000000 02000000 FFFF",
                "0201 00 00 12000000 00000000 02000000 0300",
                "0201 00 00 15000000 00000000 01000000 00",
                "0201 00 00 16000000 00000000 02000000 0000",
                STATUS + "00"));
        for (int i = 0; i < 3; i++) {
            expected.add("0401 00 00 0" + i + "00 000000000000 20000000 0001 FFFF 0000 0000" + "00".repeat(24));
        }
        for (int i = 0; i < 3; i++) {
            expected.add("0501 00 00 0" + i + "00 000000000000 08000000 0" + i + "00 0000 00000000");
        }
        expected.add(MAC + "525400123456");
        assertThat(HexFormat.of().formatHex(TestFunctions.capture(function)))
                .isEqualTo(HexFormat.of().formatHex(hex(expected.toArray(String[]::new))));
        assertThat(function.partHeaders()).hasSize(16);
        assertThat(function.partHeaders().get(0)).isEqualTo(new DevicePart(0x100, 1, 0, 8));
    }

    @Test
    void shouldGiveWhatTheDriverConfigured() {
        driver.start(ALL, 64);
        driver.control(2, 0, 1, (byte) 1);
        driver.control(2, 1, 0, hex("01000000 020000000009 01000000 01005E000009"));
        driver.control(2, 1, 1, hex("020000000007"));
        driver.control(2, 2, 0, hex("230F"));
        driver.control(2, 2, 0, hex("0100"));
        String parts = HexFormat.of().withUpperCase().formatHex(TestFunctions.capture(function));
        assertThat(parts)
                .contains(DRV_FEATURES.replace(" ", "") + "00009E0001000000")
                .contains(STATUS.replace(" ", "") + "0F")
                .contains("020100001000000000000000" + "02000000" + "0000")
                .contains("040100000100000000000000" + "20000000" + "4000" + "0200" + "01000000"
                        + "0040100000000000" + "0044100000000000" + "8844100000000000");
        assertThat(parts)
                .endsWith(HexFormat.of()
                        .withUpperCase()
                        .formatHex(hex(
                                "0002 00 00 0000 000000000000 01000000 00",
                                "0002 00 00 0001 000000000000 01000000 01",
                                "0002 00 00 0002 000000000000 01000000 00",
                                "0002 00 00 0003 000000000000 01000000 00",
                                "0002 00 00 0004 000000000000 01000000 00",
                                "0002 00 00 0005 000000000000 01000000 00",
                                "0002 00 00 0100 000000000000 14000000 01000000 020000000009 01000000 01005E000009",
                                "0002 00 00 0101 000000000000 06000000 020000000007",
                                "0002 00 00 0200 000000000000 04000000 0100 230F")));
    }

    @Test
    void shouldGiveSelectedPartsInTableOrderAndLeaveOutOthers() {
        ByteBuffer into = ByteBuffer.allocate(100);
        List<DevicePart> wanted = List.of(
                new DevicePart(0x103, 0, 0, 0), new DevicePart(0x102, 0, 18, 0), new DevicePart(0x104, 0, 9, 0));
        assertThat(function.captureParts(wanted, into)).isTrue();
        assertThat(into.flip().remaining()).isEqualTo(18 + 17);
        assertThat(into.getShort(0)).isEqualTo((short) 0x0201);
        assertThat(into.getShort(18)).isEqualTo((short) 0x0301);
    }

    @Test
    void shouldWriteNothingWhenSpaceIsTooSmall() {
        byte[] all = TestFunctions.capture(function);
        ByteBuffer into = ByteBuffer.allocate(all.length - 1);
        assertThat(function.captureParts(null, into)).isFalse();
        assertThat(into.position()).isZero();
        assertThat(into.array()).containsOnly(0);
        assertThat(function.captureParts(null, ByteBuffer.allocate(all.length))).isTrue();
    }

    @Test
    void shouldBeTheSameWhenCapturedPartsAreLoadedIntoAnotherFunction() {
        driver.start(ALL, 64);
        driver.control(2, 0, 0, (byte) 1);
        driver.control(2, 1, 1, hex("020000000007"));
        driver.control(2, 2, 0, hex("230F"));
        function.setStopped(true);
        byte[] parts = TestFunctions.capture(function);
        VirtioNetFunction other = TestFunctions.function(1);
        other.setStopped(true);
        assertThat(other.loadParts(ByteBuffer.wrap(parts)).isOk()).isTrue();
        assertThat(TestFunctions.capture(other)).isEqualTo(parts);
        TestDriver onOther = new TestDriver(other);
        assertThat(onOther.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
        assertThat(onOther.readDevice(0, 1)).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {
        TestFunctions.VERSION_1,
        TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.CTRL_RX,
        TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.CTRL_RX | TestFunctions.CTRL_MAC_ADDR
    })
    void shouldTakeTheAddressAlongWhateverTheDriverTook(long features) {
        driver.start(features, 64);
        function.setStopped(true);
        byte[] otherMac = hex("020000000002");
        VirtioNetFunction other =
                new VirtioNetFunction(new FunctionConfig("h/vf2", otherMac, 1, 256, FunctionConfig.defaultFeatures(1)));
        other.setStopped(true);
        assertThat(other.loadParts(ByteBuffer.wrap(TestFunctions.capture(function))).isOk())
                .isTrue();
        TestDriver moved = driver.movedTo(other);
        moved.queue(0).add(TestQueue.Part.in(moved.buffer(128), 128));
        other.setStopped(false);
        assertThat(moved.readDevice(0, 4)).isEqualTo(0x1200_5452L);
        assertThat(moved.readDevice(4, 2)).isEqualTo(0x5634L);
        assertThat(other.deliver(ByteBuffer.wrap(TestFunctions.frame(60, 1)))).isEqualTo(Delivery.TAKEN);
        boolean filters = (features & TestFunctions.CTRL_RX) != 0;
        assertThat(other.deliver(ByteBuffer.wrap(TestFunctions.frame(otherMac, 60, 2))))
                .isEqualTo(filters ? Delivery.FILTERED : Delivery.NOT_READY);
    }

    @Test
    void shouldCarryNoAddressThatTheDeviceDoesNotOffer() {
        FunctionConfig config = new FunctionConfig(
                "h/vf2",
                TestFunctions.MAC,
                1,
                256,
                FunctionConfig.defaultFeatures(1) & ~(1L << 5 | TestFunctions.CTRL_MAC_ADDR));
        VirtioNetFunction without = new VirtioNetFunction(config);
        assertThat(without.partHeaders()).hasSize(15);
        without.setStopped(true);
        assertThat(without.loadParts(ByteBuffer.wrap(hex(MAC + "020000000007")))).isEqualTo(REFUSED);
    }

    @Test
    void shouldCountTheAddressWhereOnlyItIsOffered() {
        FunctionConfig config = new FunctionConfig(
                "h/vf2", TestFunctions.MAC, 1, 256, TestFunctions.VERSION_1 | 1L << 5);
        VirtioNetFunction plain = new VirtioNetFunction(config);
        assertThat(plain.maxPartsSize()).isEqualTo(TestFunctions.capture(plain).length);
    }

    @Test
    void shouldReplaceEverythingWhenACompleteSetIsLoaded() {
        byte[] fresh = TestFunctions.capture(TestFunctions.function(1));
        driver.start(ALL, 64);
        driver.control(2, 0, 0, (byte) 1);
        driver.control(2, 2, 0, hex("230F"));
        function.setStopped(true);
        assertThat(function.loadParts(ByteBuffer.wrap(fresh)).isOk()).isTrue();
        assertThat(TestFunctions.capture(function)).isEqualTo(fresh);
        function.setStopped(false);
        driver.start(ALL, 64);
        assertThat(HexFormat.of().withUpperCase().formatHex(TestFunctions.capture(function)))
                .as("no leftover mode or VLAN")
                .contains("000200000000000000000000" + "01000000" + "00")
                .endsWith("000200000200000000000000" + "00000000");
    }

    @Test
    void shouldForgetModesThatTheCompleteSetCannotName() {
        VirtioNetFunction source = TestFunctions.function(1);
        new TestDriver(source).start(TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.CTRL_VLAN, 64);
        driver.start(ALL, 64);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(128), 128));
        driver.control(2, 0, 0, (byte) 1);
        ByteBuffer tagged = ByteBuffer.wrap(TestFunctions.frame(64, 1)).putShort(12, (short) 0x8100);
        assertThat(function.deliver(tagged)).as("promiscuous").isEqualTo(Delivery.TAKEN);
        function.setStopped(true);
        assertThat(function.loadParts(ByteBuffer.wrap(TestFunctions.capture(source))).isOk())
                .isTrue();
        function.setStopped(false);
        assertThat(function.deliver(tagged)).isEqualTo(Delivery.FILTERED);
    }

    @Test
    void shouldChangeOnlyWhatIsNamedWhenSomePartsAreLoaded() {
        driver.start(ALL, 64);
        driver.control(2, 0, 0, (byte) 1);
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        assertThat(load("0002 00 00 0200 000000000000 02000000 0700").isOk()).isTrue();
        byte[] after = TestFunctions.capture(function);
        assertThat(after).hasSize(before.length + 2).startsWith(java.util.Arrays.copyOf(before, before.length - 4));
    }

    @Test
    void shouldRefuseToLoadWhenDeviceIsNotStopped() {
        assertThat(load(DRV_FEATURES + "0000000001000000")).isEqualTo(NOT_STOPPED);
    }

    @Test
    void shouldSkipUnknownPartsThatAreOptional() {
        function.setStopped(true);
        assertThat(load("0106 01 00 0000000000000000 03000000 ABCDEF", DRV_FEATURES + "0000000001000000")
                        .isOk())
                .isTrue();
        assertThat(load("0201 01 00 3C000000 00000000 02000000 0500").isOk()).as("admin queue index").isTrue();
        assertThat(load("0002 01 00 0401 000000000000 00000000").isOk()).as("RSS").isTrue();
        assertThat(load("00FF 01 00 0300 000000000000 00000000").isOk()).as("queue 3").isTrue();
        assertThat(load("0002 01 00 0400 000000000000 02000000 0500").isOk()).as("MQ with one pair").isTrue();
        assertThat(load("0002 01 00 0201 000000000000 02000000 0100").isOk()).as("VLAN_DEL").isTrue();
        assertThat(load("0002 01 00 0300 000000000000 00000000").isOk()).as("ANNOUNCE_ACK not taken").isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "DEV_FEATURES of another device, 0001 01 00 0000000000000000 08000000 2080BF3017010082",
        "DEV_FEATURES too short, 0001 01 00 0000000000000000 04000000 2080BF30",
        "DRV_FEATURES too long, 0101 00 00 0000000000000000 10000000 00000000010000000000000000000000",
        "DRV_FEATURES with selector, 0101 00 00 0100000000000000 08000000 0000000001000000",
        "field that is no part, 0201 00 00 18000000 00000000 02000000 4000",
        "field of wrong length, 0201 00 00 10000000 00000000 04000000 00000000",
        "vector that does not exist, 0201 00 00 10000000 00000000 02000000 0400",
        "num_queues of another device, 0201 00 00 12000000 00000000 02000000 0500",
        "DRIVER_OK without FEATURES_OK, 0301 00 00 0000000000000000 01000000 07",
        "status with unknown bit, 0301 00 00 0000000000000000 01000000 21",
        "FEATURES_OK without VERSION_1, 0301 00 00 0000000000000000 01000000 0B",
        "queue that does not exist, 0401 00 00 0300 000000000000 20000000 0001FFFF00000000",
        "queue size of no power of two, 0401 00 00 0000 000000000000 20000000 3000FFFF00000000",
        "queue size too large, 0401 00 00 0000 000000000000 20000000 0002FFFF00000000",
        "queue size 0, 0401 00 00 0000 000000000000 20000000 0000FFFF00000000",
        "vector of queue, 0401 00 00 0000 000000000000 20000000 0001040000000000",
        "enabled 2, 0401 00 00 0000 000000000000 20000000 0001FFFF02000000",
        "enabled before FEATURES_OK, 0401 00 00 0000 000000000000 20000000 0001FFFF01000000",
        "notification elsewhere, 0501 00 00 0100 000000000000 08000000 0200000000000000",
        "control before negotiation, 0002 00 00 0000 000000000000 01000000 01",
        "unknown mandatory type, 0601 00 00 0000000000000000 00000000",
        "RSS, 0002 00 00 0401 000000000000 00000000",
    })
    void shouldRefusePart(String why, String part) {
        String whole = part.replace(" ", "");
        // Values of VQ_CFG are given up to where they turn to zeros.
        byte[] parts = hex(whole.startsWith("0401") ? whole + "00".repeat(24) : whole);
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        assertThat(function.loadParts(ByteBuffer.wrap(parts))).as(why).isEqualTo(REFUSED);
        assertThat(TestFunctions.capture(function)).as(why).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({
        "RX on = 2, 0002 00 00 0000 000000000000 01000000 02",
        "RX of 2 bytes, 0002 00 00 0000 000000000000 02000000 0100",
        "MAC table cut off, 0002 00 00 0100 000000000000 0A000000 01000000020000000009",
        "MAC of 5 bytes, 0002 00 00 0101 000000000000 05000000 0200000000",
        "VLANs not ascending, 0002 00 00 0200 000000000000 04000000 02000100",
        "VLAN twice, 0002 00 00 0200 000000000000 04000000 02000200",
        "VLAN 4096, 0002 00 00 0200 000000000000 02000000 0010",
        "half a VLAN, 0002 00 00 0200 000000000000 03000000 010002",
        "VLAN_DEL, 0002 00 00 0201 000000000000 02000000 0100",
        "MQ without MQ, 0002 00 00 0400 000000000000 02000000 0100",
    })
    void shouldRefuseControlPart(String why, String part) {
        driver.start(ALL, 64);
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        assertThat(load(part)).as(why).isEqualTo(REFUSED);
        assertThat(TestFunctions.capture(function)).as(why).isEqualTo(before);
    }

    @Test
    void shouldRefuseEverythingWhenOneOfManyIsRefusedCutOffDoubledOrOutOfOrder() {
        function.setStopped(true);
        byte[] before = TestFunctions.capture(function);
        String good = DRV_FEATURES + "0000000001000000";
        assertThat(load(good, "0301 00 00 0000000000000000 01000000 21")).isEqualTo(REFUSED);
        assertThat(load(good, "0301 00 00 0000000000000000 02000000 00")).as("value cut off").isEqualTo(REFUSED);
        assertThat(load(good, "0301 00")).as("header cut off").isEqualTo(REFUSED);
        assertThat(load(good, good)).as("twice").isEqualTo(REFUSED);
        assertThat(load(STATUS + "01", good)).as("order").isEqualTo(REFUSED);
        assertThat(TestFunctions.capture(function)).isEqualTo(before);
    }

    @Test
    void shouldTakeAnnounceAckWhereTheDriverTookAnnouncements() {
        driver.start(ALL | TestFunctions.GUEST_ANNOUNCE, 64);
        function.setStopped(true);
        assertThat(load("0002 00 00 0300 000000000000 00000000").isOk()).isTrue();
        assertThat(load("0002 00 00 0300 000000000000 01000000 00")).as("with data").isEqualTo(REFUSED);
    }

    @Test
    void shouldRefuseFeaturesThatThisDeviceDoesNotOffer() {
        function.setStopped(true);
        assertThat(load(DRV_FEATURES + "0000000009000000", STATUS + "0B")).isEqualTo(REFUSED);
        assertThat(load(DRV_FEATURES + "0000000001000000", STATUS + "0B").isOk()).isTrue();
    }
}
