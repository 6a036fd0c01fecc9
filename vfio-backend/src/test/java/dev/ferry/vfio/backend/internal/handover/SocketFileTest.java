// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With real sockets of this process. */
class SocketFileTest {
    @TempDir
    private Path folder;

    private final LinuxSystemCalls calls = new LinuxSystemCalls();
    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("ferry.sock");
    }

    private UnixSocket listening(Path at) throws DeviceException {
        UnixSocket socket = UnixSocket.bind(calls, at);
        socket.listen();
        return socket;
    }

    @Test
    void shouldSayWhatToDoWhenThereIsNoFolder() {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> UnixSocket.bind(calls, folder.resolve("none/ferry.sock")))
                .satisfies(e -> assertThat(KernelException.reason(e)).isEqualTo(
                        "%s/none/ferry.sock: bind failed (ENOENT); make the folder %s/none".formatted(folder, folder)));
    }

    @Test
    void shouldRemoveASocketAtWhichNobodyListens() throws Exception {
        SocketFile.makeRoom(calls, path);
        listening(path).close(); // what a process leaves that was killed
        assertThat(path).exists();

        SocketFile.makeRoom(calls, path);

        assertThat(path).doesNotExist();
    }

    @Test
    void shouldLeaveASocketAtWhichSomebodyListens() throws Exception {
        try (UnixSocket packets = listening(path)) {
            assertRefused("another process listens at " + path + "; end it");
            assertThat(packets.number()).isNotNegative();
        }
        Files.delete(path);
        try (ServerSocketChannel stream = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stream.bind(UnixDomainSocketAddress.of(path));
            assertRefused("another process listens at " + path + "; end it");
        }
    }

    private void assertRefused(String begin) {
        assertThatIOException().isThrownBy(() -> SocketFile.makeRoom(calls, path))
                .withMessage(begin + ", or set handover.socket to another path");
        assertThat(path).exists();
    }

    @Test
    void shouldLeaveWhatIsNoSocket() throws Exception {
        Files.writeString(path, "somebody's");
        assertRefused("there is a file at " + path + "; remove it");
        assertThat(path).hasContent("somebody's");

        Files.delete(path);
        Path elsewhere = folder.resolve("elsewhere");
        listening(elsewhere).close();
        Files.createSymbolicLink(path, elsewhere);
        assertRefused("there is a symbolic link at " + path + "; remove it");
        assertThat(elsewhere).exists();

        Files.delete(path);
        Files.createDirectory(path);
        assertRefused("there is a folder at " + path + "; remove it");
    }

    @Test
    void shouldRemoveTheFileOnlyWhileItIsTheSame() throws Exception {
        try (UnixSocket first = listening(path)) {
            SocketFile file = SocketFile.of(path);
            Files.move(path, folder.resolve("moved"));
            Files.writeString(path, "somebody's");
            file.remove();
            assertThat(path).hasContent("somebody's");

            Files.move(folder.resolve("moved"), path, StandardCopyOption.REPLACE_EXISTING);
            file.remove();
            assertThat(path).doesNotExist();
            file.remove();
            assertThat(first.number()).isNotNegative();
        }
    }

    /** A file system gives the number of a file that is gone to the next one. */
    @Test
    void shouldTakeNoOtherFileForTheOneThatItHasRemoved() throws Exception {
        try (UnixSocket first = listening(path)) {
            SocketFile file = SocketFile.of(path);
            Path sameNumber = Files.createLink(folder.resolve("same number"), path);
            file.remove();
            Files.createLink(path, sameNumber);
            file.letReach(true);
            file.remove();

            assertThat(path).exists();
            assertThat(first.number()).isNotNegative();
        }
    }

    @Test
    void shouldLeaveTheModeOfAnotherFile() throws Exception {
        try (UnixSocket first = listening(path)) {
            SocketFile file = SocketFile.of(path);
            Files.move(path, folder.resolve("moved"));
            Files.writeString(path, "somebody's");
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("r--r-----"));

            file.letReach(true);

            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("r--r-----");
            assertThat(first.number()).isNotNegative();
        }
    }
}
