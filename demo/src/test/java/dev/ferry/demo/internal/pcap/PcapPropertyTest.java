// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.ferry.demo.internal.traffic.Frame;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;

class PcapPropertyTest {

    private static final byte[] HEADER = {
        (byte) 0xd4, (byte) 0xc3, (byte) 0xb2, (byte) 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0
    };

    @Property(tries = 100)
    void shouldReadBackWhatWasWritten(
            @ForAll("frames") List<Frame> frames, @ForAll boolean nanoseconds) throws IOException {
        List<Frame> read = readAll(write(frames, nanoseconds));

        assertThat(read).isEqualTo(frames);
    }

    @Property(tries = 200)
    void shouldReadAllWholeFramesOfATruncatedFileAndThenFail(
            @ForAll("frames") List<Frame> frames, @ForAll double where) throws IOException {
        byte[] whole = write(frames, false);
        int length = (int) (Math.abs(where % 1) * whole.length);
        byte[] cut = Arrays.copyOf(whole, length);
        List<Frame> read = new ArrayList<>();
        boolean failed = false;
        try (PcapReader reader = PcapReader.of("cut", new ByteArrayInputStream(cut))) {
            for (Optional<Frame> next = reader.next(); next.isPresent(); next = reader.next()) {
                read.add(next.get());
            }
        } catch (PcapException e) {
            failed = true;
        }
        assertThat(read).isEqualTo(frames.subList(0, read.size()));
        int wholeBytes = HEADER.length + read.stream().mapToInt(frame -> 16 + frame.length()).sum();
        assertThat(failed).isEqualTo(length < HEADER.length || wholeBytes != length);
    }

    @Property(tries = 500)
    void shouldEndInANamedErrorOrCleanlyForAnyBytes(@ForAll @Size(max = 200) byte[] bytes) {
        byte[] behindAHeader = ByteBuffer.allocate(HEADER.length + bytes.length).put(HEADER).put(bytes).array();

        assertThatCode(() -> readOrFail(bytes)).doesNotThrowAnyException();
        assertThatCode(() -> readOrFail(behindAHeader)).doesNotThrowAnyException();
    }

    private static void readOrFail(byte[] bytes) throws IOException {
        try {
            readAll(bytes);
        } catch (PcapException e) {
            assertThat(e).hasMessageStartingWith("any");
        }
    }

    @Provide
    Arbitrary<List<Frame>> frames() {
        Arbitrary<byte[]> bytes =
                Arbitraries.bytes().array(byte[].class).ofMinSize(Frame.MIN_BYTES).ofMaxSize(2000);
        return Combinators.combine(Arbitraries.integers(), Arbitraries.integers(), bytes)
                .as((seconds, fraction, frame) -> new Frame(seconds, fraction, frame.length, ByteBuffer.wrap(frame)))
                .list()
                .ofMaxSize(10);
    }

    private static byte[] write(List<Frame> frames, boolean nanoseconds) throws IOException {
        Path file = Files.createTempFile("ferry", ".pcap");
        try {
            try (PcapWriter writer = PcapWriter.create(file, nanoseconds)) {
                for (Frame frame : frames) {
                    writer.write(frame, frame.bytes());
                }
                writer.commit();
            }
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    private static List<Frame> readAll(byte[] bytes) throws IOException {
        List<Frame> frames = new ArrayList<>();
        try (PcapReader reader = PcapReader.of("any", new ByteArrayInputStream(bytes))) {
            for (Optional<Frame> next = reader.next(); next.isPresent(); next = reader.next()) {
                frames.add(next.get());
            }
        }
        return frames;
    }
}
