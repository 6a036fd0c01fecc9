// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static dev.ferry.stream.virtiovf.internal.Bytes.hex;
import static dev.ferry.stream.virtiovf.internal.Bytes.join;
import static dev.ferry.stream.virtiovf.internal.Bytes.part;
import static dev.ferry.stream.virtiovf.internal.Bytes.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.ferry.device.Errno;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamInspection.Part;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StreamInspectorTest {

    private static final byte[] STATUS = part(0x103, 0, 0, hex("0f"));
    private static final byte[] IMAGE = record(0, 0, STATUS);

    private final RecordTypes types = new RecordTypes();

    private StreamInspection inspect(byte[]... pieces) throws IOException {
        return new StreamInspector(
                        Channels.newChannel(new ByteArrayInputStream(join(pieces))), new RecordRules(types, 1 << 20))
                .inspect();
    }

    private void assertFault(StreamInspection inspection, long offset, String message) {
        assertThat(inspection.isValid()).isFalse();
        assertThat(inspection.fault()).hasValueSatisfying(fault -> {
            assertThat(fault.offset()).isEqualTo(offset);
            assertThat(fault.message()).contains(message);
        });
    }

    @Test
    void shouldNameEveryPartOfAnImage() throws Exception {
        StreamInspection inspection = inspect(record(0, 0, join(
                hex("0001 01 00 0000000000000000 08000000", "2000030001000000"),
                hex("0101 00 00 0000000000000000 08000000", "0000000001000000"),
                hex("0201 00 00 1000000000000000 02000000", "ffff"),
                hex("0301 00 00 0000000000000000 01000000", "0f"),
                hex("0401 00 00 0100000000000000 20000000", "0001 0200 0100 0000",
                        "0010000000000000 0020000000000000 0030000000000000"),
                hex("0501 00 00 0100000000000000 08000000", "0100 0000 00000000"),
                hex("0002 00 00 0101000000000000 06000000", "525400123456"),
                hex("0002 00 00 0400000000000000 02000000", "0200"))));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.format()).isEqualTo("virtiovf");
        assertThat(inspection.records()).singleElement().satisfies(record -> {
            assertThat(record.offset()).isZero();
            assertThat(record.name()).isEqualTo("DEVICE_DATA");
            assertThat(record.header().size()).isEqualTo(8 * 16 + 8 + 8 + 2 + 1 + 32 + 8 + 6 + 2);
            assertThat(record.parts())
                    .extracting(Part::offset, Part::name, Part::flags, Part::selector, Part::length, Part::value)
                    .containsExactly(
                            tuple(16L, "DEV_FEATURES", 1, 0L, 8L, "NET_MAC NET_STATUS NET_CTRL_VQ VERSION_1"),
                            tuple(40L, "DRV_FEATURES", 0, 0L, 8L, "VERSION_1"),
                            tuple(64L, "PCI_COMMON_CFG", 0, 16L, 2L, "config_msix_vector = 0xffff"),
                            tuple(82L, "DEVICE_STATUS", 0, 0L, 1L, "0x0f ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK"),
                            tuple(99L, "VQ_CFG", 0, 1L, 32L,
                                    "queue 1: size 256, vector 2, enabled, desc 0x1000, driver 0x2000, device 0x3000"),
                            tuple(147L, "VQ_NOTIFY_CFG", 0, 1L, 8L, "queue 1: notify_off 1, notif_config_data 0"),
                            tuple(171L, "NET_CVQ_CFG", 0, 0x101L, 6L, "MAC_ADDR_SET = 52:54:00:12:34:56"),
                            tuple(193L, "NET_CVQ_CFG", 0, 4L, 2L, "MQ_VQ_PAIRS_SET = 2 pairs"));
        });
    }

    @Test
    void shouldDescribeTables() throws Exception {
        StreamInspection inspection = inspect(record(0, 0, join(
                part(0x200, 0, 0x0001, hex("01000000 525400000001 00000000")),
                part(0x200, 0, 0x0002, hex("0100 6400")),
                part(0x200, 0, 0x0000, hex("01")))));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records().get(0).parts()).extracting(Part::value).containsExactly(
                "MAC_TABLE_SET = unicast [52:54:00:00:00:01], multicast []",
                "VLAN_ADD = [1, 100]",
                "RX_PROMISC = on");
    }

    @Test
    void shouldNameAllFeaturesOfOneWordAndCountTheOthers() throws Exception {
        StreamInspection inspection = inspect(record(0, 0, join(
                part(0x100, 0, 0, hex("ff".repeat(8))),
                part(0x101, 0, 0, hex("ff".repeat(8) + "02" + "00".repeat(7) + "ff".repeat(2048))),
                part(0x101, 0, 0, hex("00".repeat(8) + "02" + "00".repeat(7))))));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records().get(0).parts()).extracting(Part::value).satisfiesExactly(
                all -> assertThat(all.split(" ")).hasSize(64).startsWith("NET_CSUM").contains("VERSION_1", "bit63"),
                most -> assertThat(most).endsWith("bit62 bit63 16385 more"),
                second -> assertThat(second).isEqualTo("bit65"));
    }

    @Test
    void shouldListPartsOfUnknownTypesWithoutJudgingThem() throws Exception {
        StreamInspection inspection = inspect(record(0, 0, join(part(0x5ff, 1, 0x42, hex("010203")), STATUS)));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records().get(0).parts()).extracting(Part::name, Part::type).containsExactly(
                tuple("unknown", 0x5ff), tuple("DEVICE_STATUS", 0x103));
    }

    @Test
    void shouldNameRecordsOfDeployedTypesAndListUnknownOptionalOnes() throws Exception {
        types.add(new FakeRecordType(), Map.of(RecordType.TAG, 7));

        StreamInspection inspection = inspect(IMAGE, record(1, 7, hex("1122")), record(1, 8, hex("33")));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records()).extracting(StreamInspection.Record::name)
                .containsExactly("DEVICE_DATA", "VENDOR_COUNTERS", "unknown");
        assertThat(inspection.records().get(1).parts()).singleElement()
                .satisfies(part -> assertThat(part.offset()).isEqualTo(IMAGE.length + 16 + 1));
        assertThat(inspection.records().get(2).offset()).isEqualTo(IMAGE.length + 18);
    }

    @Test
    void shouldShowPartsBeforeTheFaultThatARecordTypeFinds() throws Exception {
        FakeRecordType type = new FakeRecordType();
        type.refuses = new StreamException(1, Errno.EINVAL, "a counter is negative");
        types.add(type, Map.of(RecordType.TAG, 7));

        StreamInspection inspection = inspect(IMAGE, record(1, 7, hex("1122")));

        assertFault(inspection, IMAGE.length + 17, "a counter is negative");
        assertThat(inspection.records().get(1).parts()).hasSize(1);
    }

    @Test
    void shouldSayThatAStreamIsEmptyOrHasNoImage() throws Exception {
        assertFault(inspect(), 0, "empty");
        assertFault(inspect(record(1, 7, hex("11"))), 17, "no DEVICE_DATA");
    }

    @Test
    void shouldSayWhereAStreamIsCutOff() throws Exception {
        assertFault(inspect(IMAGE, hex("110000")), IMAGE.length, "header needs 16 bytes but only 3");
        assertFault(inspect(IMAGE, hex("0400000000000000 00000000 00000000 aa")),
                IMAGE.length, "4 bytes of payload but only 1");
        assertFault(inspect(IMAGE, hex("0400000000000000 01000000 09000000 aa")),
                IMAGE.length, "4 bytes of payload but only 1");
    }

    @Test
    void shouldListThePartsThatLieWholeInARecordThatIsCutOff() throws Exception {
        byte[] queue = part(0x104, 0, 0, new byte[32]);
        byte[] cutOff = record(0, 0, join(STATUS, queue, queue));
        int secondQueue = 16 + STATUS.length + queue.length;
        for (int length : new int[] {secondQueue, secondQueue + 5, secondQueue + 16 + 31}) {
            StreamInspection inspection = inspect(IMAGE, Arrays.copyOf(cutOff, length));

            assertFault(inspection, IMAGE.length, "113 bytes of payload but only " + (length - 16) + " are left");
            assertThat(inspection.records().get(1).parts()).extracting(Part::offset, Part::name).containsExactly(
                    tuple(IMAGE.length + 16L, "DEVICE_STATUS"),
                    tuple(IMAGE.length + 16L + STATUS.length, "VQ_CFG"));
        }
    }

    @Test
    void shouldNameAFaultBeforeThePlaceWhereARecordIsCutOff() throws Exception {
        byte[] features = part(0x101, 0, 0, hex("0000000001000000"));
        byte[] cutOff = record(0, 0, join(STATUS, features, STATUS));

        StreamInspection inspection = inspect(Arrays.copyOf(cutOff, cutOff.length - 1));

        assertFault(inspection, 16 + STATUS.length, "must not follow");
    }

    @Test
    void shouldGoOnWhenARecordTypeFailsToGiveItsName() throws Exception {
        FakeRecordType type = new FakeRecordType();
        type.nameBreaks = new IllegalStateException("told to fail");
        types.add(type, Map.of(RecordType.TAG, 7));

        StreamInspection inspection = inspect(IMAGE, record(1, 7, hex("1122")), IMAGE);

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records()).extracting(StreamInspection.Record::name)
                .containsExactly("DEVICE_DATA", "unknown", "DEVICE_DATA");
    }

    @Test
    void shouldTakeNoMorePartsFromARecordTypeThanAreListed() throws Exception {
        FakeRecordType type = new FakeRecordType();
        type.parts = StreamInspector.MOST_ITEMS + 10;
        types.add(type, Map.of(RecordType.TAG, 7));

        StreamInspection inspection = inspect(IMAGE, record(1, 7, hex("1122")));

        assertFault(inspection, IMAGE.length, "more than");
        // The two records and the part of the image count as well.
        assertThat(type.partsTaken).isEqualTo(StreamInspector.MOST_ITEMS - 3);
        assertThat(inspection.records().get(1).parts()).hasSize(StreamInspector.MOST_ITEMS - 3);
    }

    @Test
    void shouldSayWhichRecordIsTooLargeOrUnknown() throws Exception {
        StreamInspection tooLarge = inspect(hex("0100100000000000 00000000 00000000"));
        assertFault(tooLarge, 0, "claims 1048577 bytes");
        assertThat(tooLarge.records()).hasSize(1);

        StreamInspection unknown = inspect(IMAGE, record(0, 9, hex("aa")));
        assertFault(unknown, IMAGE.length, "tag 9");
        assertThat(unknown.records().get(1).header().tag()).isEqualTo(9);
    }

    @Test
    void shouldSayWherePartsAreCutOffAndListThoseBefore() throws Exception {
        StreamInspection header = inspect(record(0, 0, join(STATUS, hex("0401"))));
        assertFault(header, 16 + STATUS.length, "header needs 16 bytes but only 2");
        assertThat(header.records().get(0).parts()).hasSize(1);

        StreamInspection value = inspect(record(0, 0, hex("0301 00 00 0000000000000000 05000000 0f")));
        assertFault(value, 16, "needs 5 bytes but only 1");
    }

    @Test
    void shouldHoldPartsToTheirOrderAndLength() throws Exception {
        byte[] features = part(0x101, 0, 0, hex("0000000001000000"));
        assertFault(inspect(record(0, 0, join(STATUS, features))), 16 + STATUS.length, "must not follow");
        assertFault(inspect(record(0, 0, part(0x104, 0, 0, hex("0001")))), 16, "needs 32 bytes but has 2");
        assertFault(inspect(record(0, 0, part(0x101, 0, 0, hex("0001")))), 16, "64-bit words");
        assertFault(inspect(record(0, 0, part(0x102, 0, 13, hex("00")))), 16, "no field");
        assertFault(inspect(record(0, 0, part(0x102, 0, 16, hex("00")))), 16, "has 2 bytes, not 1");
        assertFault(inspect(record(0, 0, part(0x200, 0, 1, hex("ffffffff 00000000")))), 16, "MAC_TABLE_SET");
        assertFault(inspect(record(0, 0, part(0x200, 0, 0x104, hex("00000000 0300 0000")))), 16, "MQ_RSS_CONFIG");
    }

    @Test
    void shouldDescribeWhatBelongsToPackedQueuesAndHashes() throws Exception {
        StreamInspection inspection = inspect(record(0, 0, join(
                part(0x200, 0, 0x0104, hex("3f000000 0100 0200 0000 0100 0400 00")),
                part(0x200, 0, 0x0204, hex("03000000 0000000000000000 01 6d")),
                part(0xff00, 1, 3, hex("0580 0001")))));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records().get(0).parts()).extracting(Part::name, Part::value).containsExactly(
                tuple("NET_CVQ_CFG", "MQ_RSS_CONFIG = hash types 0x3f, 2 entries, unclassified to pair 2"),
                tuple("NET_CVQ_CFG", "MQ_HASH_CONFIG = hash types 0x3"),
                tuple("PACKED_VQ_POSITION", "queue 3: available 5 wrap 1, used 256 wrap 0"));
        assertFault(inspect(record(0, 0, part(0xff00, 1, 3, hex("058000")))), 16, "needs 4 bytes");
        assertFault(
                inspect(record(0, 0, join(part(0xff00, 1, 3, hex("05800580")), part(0x103, 0, 0, hex("00"))))),
                36,
                "must not follow");
    }

    @Test
    void shouldEndWhenThereAreMoreItemsThanAreListed() throws Exception {
        byte[] empty = record(1, 9, new byte[0]);
        byte[] many = new byte[empty.length * (StreamInspector.MOST_ITEMS + 10)];
        for (int at = 0; at < many.length; at += empty.length) {
            System.arraycopy(empty, 0, many, at, empty.length);
        }

        StreamInspection inspection = inspect(many);

        assertFault(inspection, (long) empty.length * StreamInspector.MOST_ITEMS, "more than");
        assertThat(inspection.records()).hasSize(StreamInspector.MOST_ITEMS + 1);
    }
}
