// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static dev.ferry.fsm.core.internal.SaveAndRestoreTest.failureOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A restore whose file cannot be read, whose thread is interrupted, or whose driver or service leaves meanwhile. */
class RestoreCutShortTest {

    @Test
    void shouldNotTouchTheDeviceWhenTheFileCannotBeRead() {
        try (MigrationRig rig = new MigrationRig()) {
            Failure failure = failureOf(() -> rig.service.restore(
                    MigrationRig.SOURCE, Channels.newChannel(new InputStream() {
                        @Override
                        public int read() throws IOException {
                            throw new IOException("bad sector");
                        }
                    })));

            assertThat(failure.code()).isEqualTo(FailureCode.IO_FAILED);
            assertThat(rig.source.arcs).isEmpty();
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotTouchTheDeviceWhenItsThreadIsInterruptedWhileItReads() {
        try (MigrationRig rig = new MigrationRig()) {
            Failure failure = failureOf(() -> rig.service.restore(
                    MigrationRig.SOURCE, Channels.newChannel(new InputStream() {
                        @Override
                        public int read() throws IOException {
                            Thread.currentThread().interrupt();
                            throw new IOException("interrupted");
                        }
                    })));

            assertThat(Thread.interrupted()).isTrue();
            assertThat(failure.code()).isEqualTo(FailureCode.IO_FAILED);
            assertThat(rig.source.arcs).isEmpty();
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldLoadAllOfTheNewStateFromItsFileWhenItsThreadIsInterruptedMeanwhile() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.spoolMemoryMib = 0;
            rig.service.modified(rig.values);
            rig.source.onWrite = () -> Thread.currentThread().interrupt();
            String large = "text:" + "0123456789abcdef".repeat(100_000);

            rig.service.restore(MigrationRig.SOURCE, stream(large));

            assertThat(Thread.interrupted()).isTrue();
            assertThat(rig.source.text.equals(large)).isTrue();
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldSayWhyWhereTheChannelGivesNoReason() {
        try (MigrationRig rig = new MigrationRig()) {
            assertThat(failureOf(() -> rig.service.restore(
                                    MigrationRig.SOURCE, new Broken(new ClosedByInterruptException())))
                            .message())
                    .isEqualTo("The saved state cannot be read: the calling thread was interrupted.");
            assertThat(failureOf(() -> rig.service.save(MigrationRig.SOURCE, new Broken(new ClosedChannelException())))
                            .message())
                    .isEqualTo("The state cannot be written: java.nio.channels.ClosedChannelException");
            rig.assertSourceOwns();
        }
    }

    private record Broken(IOException why) implements ByteChannel {
        @Override
        public int read(ByteBuffer into) throws IOException {
            throw why;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            throw why;
        }

        @Override
        public boolean isOpen() {
            return false;
        }

        @Override
        public void close() {}
    }

    @Test
    void shouldHaveItsFormerStateWhenItsThreadIsInterruptedOnTheWayBack() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.spoolMemoryMib = 0;
            rig.service.modified(rig.values);
            rig.source.onReset = () -> Thread.currentThread().interrupt();

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream("no state")));

            assertThat(Thread.interrupted()).isTrue();
            assertThat(failure.code()).isEqualTo(FailureCode.STREAM_REFUSED);
            assertThat(failure.following()).isEmpty();
            rig.assertSourceOwns();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHaveItsFormerStateWhenTheDriverLeavesMeanwhile(boolean loading) {
        try (MigrationRig rig = new MigrationRig()) {
            CompletableFuture<Void> gone = new CompletableFuture<>();
            Runnable leaves = LiveRig.once(() -> {
                Thread unregisters = new Thread(() -> {
                    rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);
                    gone.complete(null);
                });
                unregisters.start();
                MigrationRig.awaitWaiting(unregisters);
            });
            ReadableByteChannel from = when(loading, rig, leaves);

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, from));

            gone.orTimeout(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS).join();
            assertThat(failure.code()).isEqualTo(FailureCode.PROVIDER_GONE);
            rig.assertSourceOwns();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldHaveItsFormerStateBeforeTheServiceHasStopped(boolean loading) {
        MigrationRig rig = new MigrationRig();
        CompletableFuture<Boolean> runningWhenStopped = new CompletableFuture<>();
        ReadableByteChannel from = when(loading, rig, LiveRig.once(() -> {
            Thread stops = new Thread(() -> {
                rig.close();
                runningWhenStopped.complete(rig.source.state == DeviceState.RUNNING);
            });
            stops.start();
            MigrationRig.awaitWaiting(stops);
        }));

        Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, from));

        assertThat(failure.code()).isEqualTo(FailureCode.CANCELLED);
        assertThat(runningWhenStopped.orTimeout(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS).join()).isTrue();
        rig.assertSourceOwns();
    }

    /** A state for a restore during which something happens: while the device loads it, or while it is read. */
    private static ReadableByteChannel when(boolean loading, MigrationRig rig, Runnable happens) {
        InputStream text = new ByteArrayInputStream("text:new".getBytes(StandardCharsets.UTF_8)) {
            @Override
            public synchronized int read(byte[] into, int offset, int length) {
                if (!loading) {
                    happens.run();
                }
                return super.read(into, offset, length);
            }
        };
        if (loading) {
            rig.source.onWrite = happens::run;
        }
        return Channels.newChannel(text);
    }

    private static ReadableByteChannel stream(String text) {
        return Channels.newChannel(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }
}
