// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who can read a file that was written. */
class ReplacedFileTest {

    private static final String OWNER_ALONE = "rw-------";

    @TempDir
    private Path folder;

    @Test
    void shouldMakeAFileThatNobodyElseCanReadAtAnyTime() throws IOException {
        Path file = folder.resolve("new.state");
        try (ReplacedFile written = ReplacedFile.open(file)) {
            assertThat(permissions(beside())).isEqualTo(OWNER_ALONE);
            write(written);
            assertThat(permissions(file)).isEqualTo(OWNER_ALONE);
        }
        assertThat(file).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {OWNER_ALONE, "r--r-----", "rw-rw-rw-"})
    void shouldKeepThePermissionsOfAFileThatIsReplaced(String kept) throws IOException {
        Path file = Files.writeString(folder.resolve("old.state"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(kept));
        try (ReplacedFile written = ReplacedFile.open(file)) {
            assertThat(permissions(beside())).isEqualTo(OWNER_ALONE);
            write(written);
        }
        assertThat(permissions(file)).isEqualTo(kept);
        assertThat(file).hasSize(1);
    }

    /** The file that is written, which has another name. */
    private Path beside() throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".tmp")).findFirst().orElseThrow();
        }
    }

    private static void write(ReplacedFile file) throws IOException {
        file.channel().write(ByteBuffer.allocate(1));
        file.commit();
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
