// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.demo.internal.traffic.Frame;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PcapReaderTest {

    private static final String LITTLE_HEADER = "d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000";
    private static final String LITTLE_RECORD = "01000000 02000000 0e000000 40000000";
    private static final String FRAME = "020000000001 020000000002 88b5";

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000 | 01000000 02000000 0e000000 40000000 | false
            4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000 | 01000000 02000000 0e000000 40000000 | true
            a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001 | 00000001 00000002 0000000e 00000040 | false
            a1b23c4d 0002 0004 00000000 00000000 00040000 00000001 | 00000001 00000002 0000000e 00000040 | true
            """)
    void shouldReadBothByteOrdersAndBothResolutions(String header, String record, boolean nanoseconds)
            throws IOException {
        try (PcapReader reader = reader(header + record + FRAME)) {
            Frame frame = reader.next().orElseThrow();

            assertThat(reader.nanoseconds()).isEqualTo(nanoseconds);
            assertThat(frame.seconds()).isEqualTo(1);
            assertThat(frame.fraction()).isEqualTo(2);
            assertThat(frame.originalLength()).isEqualTo(64);
            byte[] bytes = new byte[frame.length()];
            frame.bytes().duplicate().get(bytes);
            assertThat(bytes).isEqualTo(bytes(FRAME));
            assertThat(reader.next()).isEmpty();
        }
    }

    @Test
    void shouldTakeTheLongestFrameAndRefuseALongerOne() throws IOException {
        String longest = "00".repeat(65_550);
        try (PcapReader reader = reader(LITTLE_HEADER + "00000000 00000000 0e000100 0e000100" + longest)) {
            assertThat(reader.next()).map(Frame::length).contains(65_550);
        }
        assertThatThrownBy(() -> readAll(LITTLE_HEADER + "00000000 00000000 0f000100 0f000100" + longest + "00"))
                .isInstanceOf(PcapException.class)
                .hasMessage("x.pcap: record 1 at byte 24 holds a frame of 65551 bytes; a device takes 14 to 65550");
    }

    @Test
    void shouldRefuseAShortFrameAndANegativeLengthWhereTheyAre() {
        assertThatThrownBy(() -> readAll(
                        LITTLE_HEADER + LITTLE_RECORD + FRAME + "00000000 00000000 0d000000 0d000000" + FRAME))
                .hasMessage("x.pcap: record 2 at byte 54 holds a frame of 13 bytes; a device takes 14 to 65550");
        assertThatThrownBy(() -> readAll(LITTLE_HEADER + "00000000 00000000 ffffffff ffffffff"))
                .hasMessageContaining("a frame of 4294967295 bytes");
    }

    @Test
    void shouldSayWhereATruncatedFileEnds() {
        assertThatThrownBy(() -> readAll("d4c3b2a1 0200"))
                .hasMessage("x.pcap is cut off: it ends at byte 6, within the 24 bytes of its header");
        assertThatThrownBy(() -> readAll(LITTLE_HEADER + "01000000"))
                .hasMessage("x.pcap is cut off: it ends at byte 28, within the header of record 1 at byte 24");
        assertThatThrownBy(() -> readAll(LITTLE_HEADER + LITTLE_RECORD + "0200"))
                .hasMessage("x.pcap is cut off: it ends at byte 42, within record 1 at byte 24");
    }

    @Test
    void shouldNameWhatElseAFileIs() {
        assertThatThrownBy(() -> readAll("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff"))
                .hasMessageStartingWith("x.pcap is a pcapng file: convert it with \"editcap -F pcap");
        assertThatThrownBy(() -> readAll("1f8b0800")).hasMessageContaining("gunzip");
        assertThatThrownBy(() -> readAll("d4c3b2a1 0200 0400 00000000 00000000 00000400 71000000"))
                .hasMessage("x.pcap is a capture of link type 113, not of Ethernet (1)");
        assertThatThrownBy(() -> readAll("d4c3b2a1 0300 0000 00000000 00000000 00000400 01000000"))
                .hasMessage("x.pcap is a capture of version 3, not 2");
    }

    @Test
    void shouldSayWhyAFileIsNoCapture() {
        assertThatThrownBy(() -> readAll("")).hasMessage("x.pcap is not a pcap file: it is empty");
        assertThatThrownBy(() -> readAll("d4c3b2"))
                .hasMessage("x.pcap is not a pcap file: it has 3 bytes, and the header alone has 24");
        assertThatThrownBy(() -> readAll("7f454c46" + "00".repeat(60)))
                .hasMessage("x.pcap is not a pcap file: its first four bytes are 0x7f454c46, which no pcap file begins"
                        + " with");
        assertThatThrownBy(() -> readAll("00000001")).hasMessageContaining("are 0x00000001,");
    }

    @Test
    void shouldSayThatThereIsNoFile(@TempDir Path folder) {
        assertThatThrownBy(() -> PcapReader.open(folder.resolve("none.pcap")))
                .hasMessageStartingWith("there is no file");
        assertThatThrownBy(() -> PcapReader.open(folder))
                .hasMessageEndingWith("is not a regular file: a capture is read twice");
    }

    @Test
    void shouldWriteTheHeaderAndRecordsOfAnOrdinaryCapture(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("out.pcap");
        try (PcapWriter writer = PcapWriter.create(file, true);
                PcapReader reader = reader(LITTLE_HEADER + LITTLE_RECORD + FRAME)) {
            Frame frame = reader.next().orElseThrow();
            writer.write(frame, frame.bytes());
            writer.commit();
        }
        assertThat(Files.readAllBytes(file))
                .isEqualTo(bytes("4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000" + LITTLE_RECORD + FRAME));
    }

    static List<Frame> readAll(String hex) throws IOException {
        try (PcapReader reader = reader(hex)) {
            List<Frame> frames = new ArrayList<>();
            Optional<Frame> next = reader.next();
            for (; next.isPresent(); next = reader.next()) {
                frames.add(next.get());
            }
            return frames;
        }
    }

    private static PcapReader reader(String hex) throws IOException {
        return PcapReader.of("x.pcap", new ByteArrayInputStream(bytes(hex)));
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }
}
