// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RecorderTest {

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(1_500);
    private static final int LARGE = 60_000;

    private final FrameLedger ledger = new FrameLedger();

    @TempDir
    private Path folder;

    @Test
    void shouldNeitherHoldTheDeviceNorForgetTheSenderWhenNobodyReadsTheFile() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        try (FileChannel silent = FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            Recorder recorder = new Recorder(ledger, Optional.of(pipe), false, SHORT);
            FrameSink sink = recorder.at(Side.SOURCE);
            assertThatThrownBy(() -> {
                while (true) {
                    Frame frame = new Frame(0, 0, LARGE, ByteBuffer.allocate(LARGE));
                    ledger.sending(frame, SHORT);
                    sink.transmitted(frame.bytes());
                }
            }).hasMessageContaining("are on their way");
            assertThat(recorder.trouble()).contains("the file of frames, " + pipe + ", takes nothing");
            assertThatThrownBy(recorder::close).hasMessage("the file of frames, " + pipe + ", takes nothing");
            assertThat(silent.isOpen()).isTrue();
        }
        Await.untilNoThreadIsLeft("ferry-demo-recorder");
    }

    @Test
    void shouldGoOnWithoutTheFileWhenItFails() throws Exception {
        int many = 1_000;
        Recorder recorder = new Recorder(ledger, Optional.of(Path.of("/dev/full")), false, LIMIT);
        FrameSink sink = recorder.at(Side.SOURCE);
        for (int sent = 0; sent < many; sent++) {
            Frame frame = new Frame(0, 0, LARGE, ByteBuffer.allocate(LARGE));
            ledger.sending(frame, LIMIT);
            sink.transmitted(frame.bytes());
        }
        recorder.keep();
        recorder.close();
        assertThat(ledger.counts().received()).isEqualTo(many);
        assertThat(recorder.recording().flatMap(DemoReport.Recording::failure))
                .contains("the file of frames, /dev/full, could not be written: No space left on device");
    }

    @Test
    void shouldNameTheFolderWhenItIsNotThere() {
        Recorder recorder = new Recorder(ledger, Optional.of(folder.resolve("no/out.pcap")), false, LIMIT);
        assertThatThrownBy(recorder::close)
                .hasMessage("the file of frames, " + folder.resolve("no/out.pcap")
                        + ", could not be written: there is no folder " + folder.resolve("no") + "; make it first");
    }

    @Test
    void shouldFailWhenFarMoreComesOutThanWasSent() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        try (FileChannel silent = FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            Recorder recorder = new Recorder(ledger, Optional.of(pipe), false, SHORT);
            FrameSink sink = recorder.at(Side.SOURCE);
            ByteBuffer frame = ByteBuffer.allocate(LARGE);
            for (long bytes = 0; bytes < 3 * FrameLedger.WINDOW_BYTES; bytes += LARGE) {
                sink.transmitted(frame);
            }
            assertThat(recorder.trouble()).contains("far more came out of the guest than was sent to it");
            assertThatThrownBy(recorder::close).hasMessageStartingWith("far more came out");
            assertThat(silent.isOpen()).isTrue();
        }
    }
}
