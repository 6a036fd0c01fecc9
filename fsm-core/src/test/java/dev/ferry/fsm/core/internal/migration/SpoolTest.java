// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.migration.MigrationException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpoolTest {

    private static final int BYTES = 200_000;
    private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir"));

    @Property(tries = 50)
    void shouldGiveBackWhatItTookInAnySegmentation(
            @ForAll @IntRange(min = 1, max = 70_000) int written,
            @ForAll @IntRange(min = 1, max = 70_000) int read,
            @ForAll @IntRange(max = 250_000) int memoryLimit)
            throws Exception {
        byte[] bytes = pattern();
        try (Spool spool = new Spool("host1/vf1", "the saved state", TEMPORARY, memoryLimit, BYTES)) {
            for (int at = 0; at < BYTES; at += written) {
                spool.write(ByteBuffer.wrap(bytes, at, Math.min(written, BYTES - at)));
            }
            assertThat(drain(spool, read)).isEqualTo(bytes);
            assertThat(spool.read(ByteBuffer.allocate(1))).isEqualTo(ByteSource.END);
        }
    }

    @Test
    void shouldGiveTheEndWhenNothingWasWritten() throws Exception {
        try (Spool spool = new Spool("host1/vf1", "the saved state", TEMPORARY, 10, 10)) {
            assertThat(spool.read(ByteBuffer.allocate(1))).isEqualTo(ByteSource.END);
        }
    }

    @Test
    void shouldDeleteAndCloseItsFile(@TempDir Path directory) throws Exception {
        Spool spool = new Spool("host1/vf1", "the saved state", directory, 0, BYTES);
        spool.write(ByteBuffer.wrap(pattern()));

        spool.close();

        assertThat(directory).isEmptyDirectory();
        assertThatThrownBy(() -> spool.read(ByteBuffer.allocate(1)))
                .isInstanceOf(MigrationException.class)
                .hasRootCauseInstanceOf(IOException.class);
    }

    @Test
    void shouldKeepItsFileInTheDirectoryItWasGiven(@TempDir Path directory) {
        try (Spool spool = new Spool("host1/vf1", "the saved state", directory.resolve("missing"), 0, BYTES)) {
            assertThatThrownBy(() -> spool.write(ByteBuffer.allocate(1)))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("missing");
        }
    }

    @Test
    void shouldGoOnWhenItsThreadIsInterrupted() throws Exception {
        try (Spool spool = new Spool("host1/vf1", "the saved state", TEMPORARY, 0, BYTES)) {
            Thread.currentThread().interrupt();
            spool.write(ByteBuffer.wrap(pattern()));
            assertThat(drain(spool, BYTES)).isEqualTo(pattern());
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void shouldRefuseMoreThanItMayKeep() {
        try (Spool spool = new Spool("host1/vf1", "the saved state", TEMPORARY, 10, 10)) {
            assertThatThrownBy(() -> spool.write(ByteBuffer.allocate(11)))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("20 bytes allowed");
        }
    }

    private static byte[] pattern() {
        byte[] bytes = new byte[BYTES];
        for (int i = 0; i < BYTES; i++) {
            bytes[i] = (byte) (i * 31 + i / 251);
        }
        return bytes;
    }

    private static byte[] drain(Spool spool, int chunk) throws MigrationException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteBuffer buffer = ByteBuffer.allocate(chunk);
        while (spool.read(buffer.clear()) != ByteSource.END) {
            out.write(buffer.array(), 0, buffer.position());
        }
        return out.toByteArray();
    }
}
