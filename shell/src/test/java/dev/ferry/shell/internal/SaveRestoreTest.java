// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.stream.StreamException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SaveRestoreTest {

    private final FakeMigrations migrations = new FakeMigrations();
    private final CommandFixture shell = new CommandFixture();

    @TempDir
    private Path folder;

    private int save(Path file) {
        return shell.run(new SaveCommand(() -> migrations), FakeMigrations.DEVICE, file.toString());
    }

    private int restore(Path file) {
        return shell.run(new RestoreCommand(() -> migrations), file.toString(), FakeMigrations.DEVICE);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldWriteTheStateWhenTheFileIsNew() throws IOException {
        Path file = folder.resolve("vf1.state");
        assertThat(save(file)).isZero();
        assertThat(file).hasBinaryContent(migrations.state);
        assertThat(shell.out()).isEqualTo("saved 5 bytes of host1/pf0/vf1 to " + file + "\n");
        assertThat(files()).containsExactly("vf1.state");
    }

    @Test
    void shouldReplaceTheFileBehindALinkWhenThereIsOne() throws IOException {
        Path file = Files.writeString(folder.resolve("old"), "a longer text than the new state");
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        assertThat(save(link)).isZero();
        assertThat(link).isSymbolicLink();
        assertThat(file).hasBinaryContent(migrations.state);
    }

    @Test
    void shouldKeepTheOldFileAndLeaveNoOtherWhenSavingFails() throws IOException {
        Path file = Files.writeString(folder.resolve("vf1.state"), "old");
        migrations.failure = Optional.of(Failure.of(FailureCode.DEVICE_FAILED, "the device fell silent"));
        assertThat(save(file)).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: the device fell silent\n");
        assertThat(file).hasContent("old");
        assertThat(files()).containsExactly("vf1.state");
    }

    @Test
    void shouldLeaveNoFileWhenSavingFails() throws IOException {
        migrations.failure = Optional.of(Failure.of(FailureCode.DEVICE_FAILED, "the device fell silent"));
        assertThat(save(folder.resolve("vf1.state"))).isEqualTo(1);
        assertThat(files()).isEmpty();
    }

    @Test
    void shouldNameTheFolderWhenItIsNotThere() {
        assertThat(save(folder.resolve("no/vf1.state"))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no folder " + folder.resolve("no") + "; make it first\n");
    }

    @Test
    void shouldRefuseAFolderWhenAFileIsWanted() {
        assertThat(save(folder)).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: cannot use " + folder + ": it is a folder; name a file\n");
        assertThat(restore(folder)).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: cannot use " + folder + ": it is a folder; name a file\n");
    }

    private void assertInterrupted(int status) {
        assertThat(Thread.interrupted()).as("left as it was").isTrue();
        assertThat(status).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: interrupted before it was done\n");
        assertThat(shell.out()).contains("\"code\": \"CANCELLED\"");
    }

    @Test
    void shouldSayThatItWasInterruptedAndNotThatTheFileFailed() throws IOException {
        Path file = folder.resolve("vf1.state");
        Thread.currentThread().interrupt();
        assertInterrupted(shell.run(
                new SaveCommand(() -> migrations), FakeMigrations.DEVICE, file.toString(), "--json"));
        migrations.onSaved = () -> Thread.currentThread().interrupt();
        assertInterrupted(shell.run(
                new SaveCommand(() -> migrations), FakeMigrations.DEVICE, file.toString(), "--json"));
        assertThat(files()).isEmpty();

        Files.write(file, migrations.state);
        Thread.currentThread().interrupt();
        assertInterrupted(shell.run(
                new RestoreCommand(() -> migrations), file.toString(), FakeMigrations.DEVICE, "--json"));
    }

    @Test
    void shouldGiveAllBytesWhenRestoring() throws IOException {
        Path file = Files.write(folder.resolve("vf1.state"), migrations.state);
        assertThat(restore(file)).isZero();
        assertThat(migrations.restored).containsExactly((byte) 1, (byte) 2, (byte) 3, (byte) 4, (byte) 5);
        assertThat(shell.out()).isEqualTo("restored 5 bytes from " + file + " into host1/pf0/vf1\n");
    }

    @Test
    void shouldExitWithOneWhenTheFileToRestoreIsNotThere() {
        assertThat(restore(folder.resolve("none"))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: there is no file or folder " + folder.resolve("none") + "\n");
    }

    @Test
    void shouldNameTheFileAndWhatShowsItWhenItIsRefused() throws IOException {
        Path file = Files.write(folder.resolve("vf1.state"), migrations.state);
        migrations.failure = Optional.of(Failure.of(FailureCode.STREAM_REFUSED, "The stream is cut off."));
        assertThat(restore(file)).isEqualTo(1);
        assertThat(shell.err()).isEqualTo(
                ("ferry: the file %s is refused: the stream is cut off; `ferry inspect %s` shows what a device "
                        + "needs to take it: features, queues and their sizes%n").formatted(file, file));
    }

    @Test
    void shouldSayOnlyWhatIsWrongWithTheStreamWhenItIsMalformed() throws IOException {
        Path file = Files.write(folder.resolve("vf1.state"), migrations.state);
        migrations.failure = Optional.of(
                Failure.of(FailureCode.STREAM_REFUSED, "The step from RESUMING to STOP failed."));
        migrations.cause = new DeviceException(
                Errno.EINVAL, "the state is incomplete",
                new StreamException(7, Errno.EINVAL, "the stream ends within a record"));
        assertThat(restore(file)).isEqualTo(1);
        assertThat(shell.err()).isEqualTo(("ferry: the file %s is refused: the stream ends within a record; "
                + "`ferry inspect %s` shows where%n").formatted(file, file));
    }

    @Test
    void shouldNotSendToInspectWhenItIsNoRegularFile() {
        migrations.failure = Optional.of(Failure.of(FailureCode.STREAM_REFUSED, "The stream is cut off."));
        assertThat(restore(Path.of("/dev/null"))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo(
                "ferry: the file /dev/null is refused: the stream is cut off; give a file that `ferry save` wrote\n");
    }

    @Test
    void shouldNameTheFileWhenTheStateCannotBeWritten() {
        migrations.failure = Optional.of(Failure.of(FailureCode.IO_FAILED, "The state cannot be written: it is full"));
        assertThat(save(Path.of("/dev/null"))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo("ferry: cannot use /dev/null: the state cannot be written: it is full\n");
    }

    @Test
    void shouldNameTheCommandThatListsDevicesWhenOneIsUnknown() {
        migrations.failure = Optional.of(Failure.of(FailureCode.DEVICE_NOT_FOUND, "No device has the id x: look."));
        assertThat(save(folder.resolve("x"))).isEqualTo(1);
        assertThat(shell.err()).isEqualTo(
                "ferry: no device has the id x: look; `ferry devices` lists those there are\n");
    }

    @Test
    void shouldExitWithTwoWhenANameIsEmpty() {
        assertThat(save(Path.of(""))).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: the file name is empty (usage: ");
        assertThat(restore(Path.of(""))).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: the file name is empty (usage: ");
        assertThat(shell.run(new SaveCommand(() -> migrations), "", "x")).isEqualTo(2);
        assertThat(shell.err()).startsWith("ferry: the device name is empty (usage: ");
    }

    @Test
    void shouldNameTheFileAskedForWhenItCannotBeWritten() {
        // The name of the file beside it is too long before this one is.
        Path file = folder.resolve("x".repeat(250));
        assertThat(save(file)).isEqualTo(1);
        assertThat(shell.err()).startsWith("ferry: cannot use " + file + ": ").doesNotContain(".tmp");
    }
}
