// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.vfio.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.stream.StreamInspection;
import dev.ferry.stream.StreamInspection.Fault;
import dev.ferry.stream.StreamInspection.Part;
import dev.ferry.stream.StreamInspection.Record;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Streams written by hand from the layout in the README of dev.ferry.vfio.backend. */
class VfioStateReaderTest {
    private static final String DATA_3 = "ffffffffef100004 0000000000000003 010203";
    private static final String CONFIG_64 = "ffffffffef100002 0000000000000040 "
            + "f41a4110 06041000 01000002 10400000 0c0000fe 00000000 00000000 00000000 00000000 00000000"
            + "00000000 00000000 00000000 00000000 00000000 0b010000";
    private static final String END = "ffffffffef100001 0000000000000000";

    private final VfioStateReader reader = new VfioStateReader();

    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    private StreamInspection inspect(byte[] stream) throws IOException {
        return reader.inspect(Channels.newChannel(new ByteArrayInputStream(stream)));
    }

    private Fault fault(String stream) throws IOException {
        return inspect(bytes(stream)).fault().orElseThrow();
    }

    @Test
    void shouldNameTheRecordsAndTheConfigurationSpace() throws Exception {
        StreamInspection found = inspect(bytes(DATA_3 + DATA_3 + CONFIG_64 + END));

        assertThat(found.fault()).isEmpty();
        assertThat(found.format()).isEqualTo("vfio");
        assertThat(found.records()).extracting(Record::name).containsExactly("DATA", "DATA", "CONFIG", "END");
        assertThat(found.records()).extracting(Record::offset).containsExactly(0L, 19L, 38L, 118L);
        assertThat(found.records()).extracting(record -> record.header().size()).containsExactly(3L, 3L, 64L, 0L);
        assertThat(found.records().get(0).header().tag()).isEqualTo(0xEF100004);
        assertThat(found.records().get(2).parts())
                .contains(
                        new Part(54, 0, "VENDOR_ID", 0, 0, 2, "0x1af4"),
                        new Part(56, 2, "DEVICE_ID", 0, 0, 2, "0x1041"),
                        new Part(58, 4, "COMMAND", 0, 0, 2, "0x0406"),
                        new Part(62, 8, "CLASS_REVISION", 0, 0, 4, "0x02000001"),
                        new Part(66, 12, "CACHE_LINE_SIZE", 0, 0, 1, "0x10"),
                        new Part(70, 16, "BASE_ADDRESS_0", 0, 0, 4, "0xfe00000c"),
                        new Part(114, 60, "INTERRUPT_LINE", 0, 0, 1, "0x0b"))
                .hasSize(14);
    }

    @Test
    void shouldAcceptADeviceWithoutConfigurationSpaceAndWithoutData() throws Exception {
        assertThat(inspect(bytes(DATA_3 + END)).isValid()).isTrue();
        assertThat(inspect(bytes(END)).isValid()).isTrue();
        assertThat(inspect(bytes("ffffffffef1000040000000000000000" + END)).isValid()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "ffffffffef100004 8000000000000000 | 0 | the DATA record of 9223372036854775808 bytes cannot be",
        "ffffffffef100002 000000000000003f | 0 | the CONFIG record of 63 bytes cannot be",
        "ffffffffef100002 0000000000001001 | 0 | the CONFIG record of 4097 bytes cannot be",
        "ffffffffef100001 0000000000000001 | 0 | the END record of 1 bytes cannot be",
        "ffffffffef100003 0000000000000000 | 0 | 0xffffffffef100003 is the mark of no record",
        "ffffffffef100004 7fffffffffffffff 01 | 0 "
                + "| a DATA record of 9223372036854775807 bytes has only 1 in the stream",
    })
    void shouldSayWhereARecordIsWrong(String stream, long offset, String message) throws Exception {
        assertThat(fault(stream)).isEqualTo(new Fault(offset, message));
    }

    @Test
    void shouldSayWhereTheOrderIsWrong() throws Exception {
        assertThat(fault(CONFIG_64 + DATA_3 + END))
                .isEqualTo(new Fault(80, "a DATA record must not follow the CONFIG record"));
        assertThat(fault(CONFIG_64 + CONFIG_64 + END))
                .isEqualTo(new Fault(80, "a CONFIG record must not follow the CONFIG record"));
        assertThat(fault(DATA_3 + END + "00"))
                .isEqualTo(new Fault(35, "the stream goes on after its END record"));
    }

    @Test
    void shouldSayAtEveryCutWhatIsMissing() throws Exception {
        byte[] whole = bytes(DATA_3 + CONFIG_64 + END);
        for (int length = 0; length < whole.length; length++) {
            StreamInspection found = inspect(Arrays.copyOf(whole, length));
            assertThat(found.fault()).as("cut at %d", length).isPresent();
            assertThat(found.fault().orElseThrow().offset()).isBetween(0L, (long) length);
        }
        assertThat(inspect(Arrays.copyOf(whole, 0)).fault()).contains(new Fault(0, "the stream is empty"));
        assertThat(inspect(Arrays.copyOf(whole, 10)).fault())
                .contains(new Fault(0, "a record header of 16 bytes has only 10 in the stream"));
        StreamInspection cut = inspect(Arrays.copyOf(whole, 19 + 16 + 10));
        assertThat(cut.fault()).contains(new Fault(19, "a CONFIG record of 64 bytes has only 10 in the stream"));
        assertThat(cut.records().get(1).parts()).extracting(Part::name)
                .containsExactly("VENDOR_ID", "DEVICE_ID", "COMMAND");
        assertThat(inspect(Arrays.copyOf(whole, 99)).fault())
                .contains(new Fault(99, "the stream ends without an END record, so a part of it is missing"));
    }

    @Test
    void shouldEndAListThatIsTooLong() throws Exception {
        byte[] empty = bytes("ffffffffef1000040000000000000000");
        InputStream endless = new InputStream() {
            private int at;

            @Override
            public int read() {
                return empty[at++ % empty.length] & 0xFF;
            }
        };
        StreamInspection found = reader.inspect(Channels.newChannel(endless));
        assertThat(found.records()).hasSize(1 << 18);
        assertThat(found.fault()).contains(
                new Fault(16L << 18, "the stream has more than the 262144 records listed"));
    }

    @Test
    void shouldRecognizeAStreamByItsFirstMark() {
        for (String first : new String[] {DATA_3, CONFIG_64, END, "ffffffffef10"}) {
            assertThat(reader.recognizes(ByteBuffer.wrap(bytes("77" + first)).position(1))).as(first).isTrue();
        }
        for (String other : new String[] {"", "fffffffffe", "ffffffffef100003 0000", "0300000000000000 00000000"}) {
            assertThat(reader.recognizes(ByteBuffer.wrap(bytes(other)))).as(other).isFalse();
        }
    }
}
