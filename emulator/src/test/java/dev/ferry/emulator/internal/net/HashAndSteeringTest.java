// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hashes with the key, packets and results of the table that RSS implementations are verified with. */
class HashAndSteeringTest {

    private static final String KEY =
            "6D5A56DA255B0EC24167253D43A38FB0D0CA2BCBAE7B30B477CB2DA38030F20C6A42B73BBEAC01FA";
    private static final long FEATURES = TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ | TestFunctions.MQ;
    private static final int CTRL = 8;
    private static final int BUFFER = 256;

    /** 66.9.149.187:2794 to 161.142.100.80:1766. */
    private static final String ADDRESSES_V4 = "420995BB A18E6450";
    /** [3ffe:2501:200:1fff::7]:2794 to [3ffe:2501:200:3::1]:1766. */
    private static final String ADDRESSES_V6 = "3FFE250102001FFF0000000000000007 3FFE2501020000030000000000000001";

    private static final String PORTS = "0AEA 06E6";

    private final VirtioNetFunction function = TestFunctions.function(4);
    private final TestDriver driver = new TestDriver(function);

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    private static byte[] frame(String tail) {
        byte[] payload = hex(tail);
        return ByteBuffer.allocate(12 + payload.length).put(TestFunctions.MAC).put(12, payload).array();
    }

    private static byte[] ipv4(int protocol, int fragment) {
        return frame("0800 4500002C 0000 %04X 40 %02X 0000".formatted(fragment, protocol) + ADDRESSES_V4 + PORTS
                + "0000000000000000");
    }

    private static byte[] ipv6(int nextHeader, String extensions) {
        return frame("86DD 60000000 0014 %02X 40".formatted(nextHeader) + ADDRESSES_V6 + extensions + PORTS
                + "0000000000000000");
    }

    private void start(long features) {
        driver.start(features, 16);
        for (int queue = 0; queue < CTRL; queue += 2) {
            for (int i = 0; i < 16; i++) {
                driver.queue(queue).add(TestQueue.Part.in(driver.buffer(BUFFER), BUFFER));
            }
        }
    }

    private int configure(int command, String data) {
        return driver.control(CTRL, 4, command, hex(data));
    }

    /** hash_value and hash_report of a frame as its header in the first buffer of a queue says. */
    private String reported(byte[] frame) {
        long buffer = driver.memory.getLong(driver.at(driver.queue(0).desc)
                + 16 * Short.toUnsignedInt(driver.memory.getShort(
                        driver.at(driver.queue(0).avail) + 4 + 2 * (driver.queue(0).usedIdx % 16))));
        assertThat(function.deliver(ByteBuffer.wrap(frame))).isEqualTo(Delivery.TAKEN);
        assertThat(driver.queue(0).takeUsed()).extracting(TestQueue.Used::length).containsExactly(20 + frame.length);
        assertThat(driver.bytes(buffer + 20, frame.length)).isEqualTo(frame);
        assertThat(driver.bytes(buffer, 12)).isEqualTo(hex("00000000000000000000 0100"));
        ByteBuffer header = ByteBuffer.wrap(driver.bytes(buffer + 12, 8)).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        assertThat(header.getShort(6)).isZero();
        return "%08x %d".formatted(header.getInt(0), header.getShort(4));
    }

    private static String hashConfig(int types) {
        return "%02X000000 0000000000000000 28".formatted(types) + KEY;
    }

    @Test
    void shouldReportTheHashThatTheTypesAskFor() {
        start(FEATURES | TestFunctions.HASH_REPORT);
        assertThat(reported(ipv4(6, 0))).as("nothing configured").isEqualTo("00000000 0");
        assertThat(configure(2, hashConfig(0x3F))).isZero();
        assertThat(reported(ipv4(6, 0))).as("TCPv4").isEqualTo("51ccc178 2");
        assertThat(reported(ipv4(17, 0))).as("UDPv4").isEqualTo("51ccc178 3");
        assertThat(reported(ipv4(1, 0))).as("ICMP").isEqualTo("323e8fc2 1");
        assertThat(reported(ipv4(6, 0x2000))).as("first fragment").isEqualTo("323e8fc2 1");
        assertThat(reported(ipv4(6, 0x00B9))).as("other fragment").isEqualTo("323e8fc2 1");
        assertThat(reported(ipv6(6, ""))).as("TCPv6").isEqualTo("40207d3d 5");
        assertThat(reported(ipv6(17, ""))).as("UDPv6").isEqualTo("40207d3d 6");
        assertThat(reported(ipv6(58, ""))).as("ICMPv6").isEqualTo("2cc18cd5 4");
        assertThat(reported(ipv6(0, "3C00000000000000 0601000000000000 0000000000000000")))
                .as("behind hop-by-hop and destination options")
                .isEqualTo("40207d3d 5");
        assertThat(reported(ipv6(44, "0600000100000000"))).as("fragment").isEqualTo("2cc18cd5 4");
        assertThat(reported(frame("0806 0001080006040001" + "00".repeat(20)))).as("ARP").isEqualTo("00000000 0");
        assertThat(reported(frame("8100 0005 0800 4500002C 0000 0000 40 06 0000" + ADDRESSES_V4 + PORTS + "00000000")))
                .as("tagged")
                .isEqualTo("51ccc178 2");
    }

    @ParameterizedTest
    @CsvSource({"1,323e8fc2 1", "2,51ccc178 2", "4,00000000 0", "5,323e8fc2 1", "8,00000000 0", "0,00000000 0"})
    void shouldFallBackToWhatIsEnabled(int types, String expected) {
        start(FEATURES | TestFunctions.HASH_REPORT);
        assertThat(configure(2, hashConfig(types))).isZero();
        assertThat(reported(ipv4(6, 0))).isEqualTo(expected);
    }

    @Test
    void shouldSkipAHeaderOf20BytesWhenItTransmits() {
        List<byte[]> sent = TestFunctions.sink(function);
        start(FEATURES | TestFunctions.HASH_REPORT);
        byte[] packet = ByteBuffer.allocate(80).put(20, TestFunctions.frame(60, 3)).array();
        driver.queue(1).add(TestQueue.Part.out(driver.bufferOf(packet), 80));
        driver.queue(1).kick();
        assertThat(sent).containsExactly(TestFunctions.frame(60, 3));
        driver.queue(1).add(TestQueue.Part.out(driver.buffer(19), 19));
        driver.queue(1).kick();
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).as("header cut off").isEqualTo(15 | 64);
    }

    /** Mask 3: hash 0x51ccc178 has the low bits 0, 0x323e8fc2 has 2; unclassified to pair 3. */
    private static final String RSS = "03000000 0300 0300 0200 0000 0100 0300 0400 28" + KEY;

    private int queueOf(byte[] frame) {
        assertThat(function.deliver(ByteBuffer.wrap(frame))).isEqualTo(Delivery.TAKEN);
        int found = -1;
        for (int queue = 0; queue < CTRL; queue += 2) {
            if (!driver.queue(queue).takeUsed().isEmpty()) {
                assertThat(found).isEqualTo(-1);
                found = queue;
            }
        }
        return found;
    }

    @Test
    void shouldSteerByTheIndirectionTable() {
        start(FEATURES | TestFunctions.RSS);
        assertThat(queueOf(ipv4(6, 0))).as("multiqueue is disabled by default").isZero();
        assertThat(configure(1, RSS)).isZero();
        assertThat(queueOf(ipv4(6, 0))).as("entry 0").isEqualTo(4);
        assertThat(queueOf(ipv4(17, 0))).as("entry 2: UDP is not enabled").isEqualTo(2);
        assertThat(queueOf(ipv6(6, ""))).as("unclassified").isEqualTo(6);
    }

    @Test
    void shouldFollowTheLastCommand() {
        start(FEATURES | TestFunctions.RSS);
        assertThat(configure(1, RSS)).isZero();
        assertThat(configure(0, "0100")).isZero();
        assertThat(queueOf(ipv4(6, 0))).as("one pair").isZero();
        assertThat(configure(1, RSS)).isZero();
        assertThat(queueOf(ipv4(6, 0))).isEqualTo(4);
    }

    @Test
    void shouldReportTheHashOfRssWhereRssIsNegotiated() {
        start(FEATURES | TestFunctions.RSS | TestFunctions.HASH_REPORT);
        assertThat(configure(2, hashConfig(0x3F))).isZero();
        assertThat(reported(ipv4(6, 0))).as("RSS is not configured").isEqualTo("00000000 0");
        assertThat(configure(1, RSS.replace("0300 0300 0200 0000", "0300 0300 0000 0000"))).isZero();
        assertThat(reported(ipv4(6, 0))).isEqualTo("51ccc178 2");
    }

    @Test
    void shouldDropWhatIsForAQueueThatIsReset() {
        start(FEATURES | TestFunctions.RSS | TestFunctions.RING_RESET);
        assertThat(configure(1, RSS)).isZero();
        driver.write(TestDriver.QUEUE_SELECT, 2, 4);
        driver.write(TestDriver.QUEUE_RESET, 2, 1);
        assertThat(function.deliver(ByteBuffer.wrap(ipv4(6, 0)))).isEqualTo(Delivery.FILTERED);
        assertThat(queueOf(ipv4(17, 0))).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "type 6, 1, 43000000 0000 0000 0000 0100 00",
        "mask 2, 1, 03000000 0200 0000 0000 0000 0000 0100 00",
        "pair 4, 1, 03000000 0000 0000 0400 0100 00",
        "unclassified 4, 1, 03000000 0000 0400 0000 0100 00",
        "max_tx_vq 0, 1, 03000000 0000 0000 0000 0000 00",
        "max_tx_vq 5, 1, 03000000 0000 0000 0000 0500 00",
        "no key length, 1, 03000000 0000 0000 0000 0100",
        "key cut off, 1, 03000000 0000 0000 0000 0100 02 11",
        "bytes behind the key, 1, 03000000 0000 0000 0000 0100 01 1122",
        "table cut off, 1, 03000000 0300 0000 0000 0100",
        "nothing, 1, ''",
        "hash type 6, 2, 40000000 0000000000000000 00",
        "hash key cut off, 2, 01000000 0000000000000000 02 11",
        "hash cut off, 2, 01000000 00000000",
    })
    void shouldRefuse(String why, int command, String data) {
        start(FEATURES | TestFunctions.RSS | TestFunctions.HASH_REPORT);
        byte[] before = TestFunctions.capture(function);
        assertThat(configure(command, data)).as(why).isEqualTo(1);
        assertThat(TestFunctions.capture(function).length).isEqualTo(before.length);
    }

    @Test
    void shouldRefuseATableOrAKeyThatIsTooLong() {
        start(FEATURES | TestFunctions.RSS | TestFunctions.HASH_REPORT);
        assertThat(configure(1, "03000000 7F00 0000" + "0000".repeat(128) + "0100 00")).isZero();
        assertThat(configure(1, "03000000 FF00 0000" + "0000".repeat(256) + "0100 00")).isEqualTo(1);
        assertThat(configure(2, "01000000 0000000000000000 28" + "11".repeat(40))).isZero();
        assertThat(configure(2, "01000000 0000000000000000 29" + "11".repeat(41))).isEqualTo(1);
    }

    @Test
    void shouldRefuseCommandsOfFeaturesThatWereNotTaken() {
        start(FEATURES);
        assertThat(configure(1, RSS)).isEqualTo(1);
        assertThat(configure(2, hashConfig(1))).isEqualTo(1);
    }

    @Test
    void shouldCarryHashAndSteeringAsParts() {
        start(FEATURES | TestFunctions.RSS | TestFunctions.HASH_REPORT);
        assertThat(configure(0, "0200")).isZero();
        assertThat(configure(1, RSS)).isZero();
        assertThat(configure(2, hashConfig(0x11))).isZero();
        function.setStopped(true);
        byte[] parts = TestFunctions.capture(function);
        assertThat(HexFormat.of().withUpperCase().formatHex(parts))
                .endsWith(("0002 00 00 0400 000000000000 02000000 0200"
                                + "0002 00 00 0401 000000000000 3B000000" + RSS
                                + "0002 00 00 0402 000000000000 35000000" + hashConfig(0x11))
                        .replace(" ", ""));
        VirtioNetFunction other = TestFunctions.function(4);
        other.setStopped(true);
        assertThat(other.loadParts(ByteBuffer.wrap(parts)).isOk()).isTrue();
        assertThat(TestFunctions.capture(other)).isEqualTo(parts);
        TestDriver moved = driver.movedTo(other);
        other.setStopped(false);
        assertThat(other.deliver(ByteBuffer.wrap(ipv4(6, 0)))).isEqualTo(Delivery.TAKEN);
        assertThat(moved.queue(4).takeUsed()).hasSize(1);
    }

    @Test
    void shouldGiveNoPartOfWhatIsNotConfiguredAnyMore() {
        start(FEATURES | TestFunctions.RSS);
        assertThat(function.partHeaders()).noneMatch(part -> part.type() == 0x200 && part.selector() == 0x104);
        assertThat(configure(1, RSS)).isZero();
        assertThat(function.partHeaders()).anyMatch(part -> part.type() == 0x200 && part.selector() == 0x104);
        assertThat(configure(0, "0400")).isZero();
        assertThat(function.partHeaders()).noneMatch(part -> part.type() == 0x200 && part.selector() == 0x104);
    }
}
