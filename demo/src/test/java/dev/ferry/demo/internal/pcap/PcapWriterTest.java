// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.demo.internal.traffic.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class PcapWriterTest {

    private static final int FILE_BYTES = 24 + 16 + 14;
    private static final Frame FRAME = new Frame(1, 2, 14, ByteBuffer.allocate(14));

    @TempDir
    private Path folder;

    @Test
    void shouldKeepTheOldFileUntilTheCaptureIsWhole() throws IOException {
        Path file = Files.writeString(folder.resolve("out.pcap"), "old");
        try (PcapWriter writer = PcapWriter.create(file, false)) {
            writer.write(FRAME, FRAME.bytes());
            assertThat(file).hasContent("old");
            writer.commit();
            assertThat(file).hasSize(FILE_BYTES);
        }
        assertThat(file).hasSize(FILE_BYTES);
        assertThat(folder.toFile().list()).containsExactly("out.pcap");
    }

    @Test
    void shouldLeaveNothingNewWhenTheCaptureIsNotWhole() throws IOException {
        Path old = Files.writeString(folder.resolve("old.pcap"), "old");
        for (Path file : new Path[] {old, folder.resolve("new.pcap")}) {
            try (PcapWriter writer = PcapWriter.create(file, false)) {
                writer.write(FRAME, FRAME.bytes());
            }
        }
        assertThat(old).hasContent("old");
        assertThat(folder.toFile().list()).containsExactly("old.pcap");
    }

    @Test
    void shouldReplaceWhatALinkPointsTo() throws IOException {
        Path file = Files.writeString(folder.resolve("out.pcap"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        try (PcapWriter writer = PcapWriter.create(link, false)) {
            writer.commit();
        }
        assertThat(link).isSymbolicLink();
        assertThat(file).hasSize(24);
    }

    @Test
    void shouldWriteAPipeDirectly() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        try (FileChannel reader = FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            try (PcapWriter writer = PcapWriter.create(pipe, false)) {
                writer.write(FRAME, FRAME.bytes());
                writer.commit();
            }
            assertThat(reader.read(ByteBuffer.allocate(100))).isEqualTo(FILE_BYTES);
        }
        assertThat(folder.toFile().list()).containsExactly("pipe");
    }

    @Test
    void shouldNameWhatTheUserGaveWhenThereCanBeNoSuchFile() throws IOException {
        assertThatThrownBy(() -> PcapWriter.create(folder, false))
                .isInstanceOf(FileSystemException.class)
                .hasMessage(folder + ": it is a folder; name a file");
        assertThatThrownBy(() -> PcapWriter.create(folder.resolve("no/out.pcap"), false))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessage("%1$s: there is no folder %1$s; make it first".formatted(folder.resolve("no")));
    }

    @Test
    void shouldNameTheFileWhenItsFolderTakesNone() {
        // Nobody, whatever they may do, can add a file to this one.
        assertThatThrownBy(() -> PcapWriter.create(Path.of("/proc/out.pcap"), false))
                .isInstanceOfSatisfying(FileSystemException.class,
                        refused -> assertThat(refused.getFile()).isEqualTo("/proc/out.pcap"));
    }
}
