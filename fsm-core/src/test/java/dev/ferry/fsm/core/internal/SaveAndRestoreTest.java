// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SaveAndRestoreTest {

    private static final ScriptedDriver.Step BROKEN = () -> {
        throw new DeviceException(Errno.EIO, "scripted");
    };

    @Test
    void shouldSaveAndRunAgain() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            ByteArrayOutputStream file = new ByteArrayOutputStream();

            long bytes = rig.service.save(MigrationRig.SOURCE, Channels.newChannel(file));

            assertThat(file).hasToString(MigrationRig.TEXT);
            assertThat(bytes).isEqualTo(MigrationRig.TEXT.length());
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldRunAgainWhenTheFileCannotBeWritten() {
        try (MigrationRig rig = new MigrationRig()) {
            Failure failure = failureOf(() -> rig.service.save(
                    MigrationRig.SOURCE, Channels.newChannel(new OutputStream() {
                        @Override
                        public void write(int b) throws IOException {
                            throw new IOException("no space left");
                        }
                    })));

            assertThat(failure.code()).isEqualTo(FailureCode.IO_FAILED);
            assertThat(failure.message()).contains("no space left");
            rig.assertSourceOwns();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNNING_TO_RUNNING_P2P", "RUNNING_P2P_TO_STOP", "STOP_TO_STOP_COPY", "STOP_COPY_TO_STOP"})
    void shouldRunAgainWhenAnArcOfSaveFails(Arc arc) {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.once(arc, BROKEN);

            Failure failure = failureOf(() -> rig.service.save(
                    MigrationRig.SOURCE, Channels.newChannel(new ByteArrayOutputStream())));

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotAdviseToRunWhatIsHeldBack() {
        try (MigrationRig rig = new MigrationRig()) {
            WayBackTest.failBesideADestinationThatMayAct(rig);

            Failure failure = failureOf(() -> rig.service.save(
                    MigrationRig.SOURCE, Channels.newChannel(new ByteArrayOutputStream())));

            assertThat(failure.code()).isEqualTo(FailureCode.TRANSITION_REFUSED);
            assertThat(failure.message())
                    .endsWith("reset host2/vf1 before anything runs this device.")
                    .doesNotContain("take it to RUNNING");
        }
    }

    @Test
    void shouldSaveOnlyARunningDevice() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP);

            Failure failure = failureOf(() -> rig.service.save(
                    MigrationRig.SOURCE, Channels.newChannel(new ByteArrayOutputStream())));

            assertThat(failure.code()).isEqualTo(FailureCode.TRANSITION_REFUSED);
            assertThat(failure.message()).contains("take it to RUNNING first");
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
        }
    }

    @Test
    void shouldRestore() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            long bytes = rig.service.restore(MigrationRig.SOURCE, stream("text:saved"));

            assertThat(bytes).isEqualTo(10);
            assertThat(rig.source.text).isEqualTo("text:saved");
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.resets).hasValue(0);
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldNotStopTheDeviceBeforeAllOfTheNewStateIsThere() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            Set<DeviceState> seen = EnumSet.noneOf(DeviceState.class);
            InputStream slow = new ByteArrayInputStream("text:saved".getBytes(StandardCharsets.UTF_8)) {
                @Override
                public synchronized int read(byte[] into, int offset, int length) {
                    seen.add(rig.source.state);
                    return super.read(into, offset, 1);
                }
            };

            rig.service.restore(MigrationRig.SOURCE, Channels.newChannel(slow));

            assertThat(rig.source.text).isEqualTo("text:saved");
            assertThat(seen).containsExactly(DeviceState.RUNNING);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no state"})
    void shouldHaveItsFormerStateWhenTheStreamIsRefused(String refused) {
        try (MigrationRig rig = new MigrationRig()) {
            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream(refused)));

            assertThat(failure.code()).isEqualTo(FailureCode.STREAM_REFUSED);
            assertThat(failure.following()).isEmpty();
            rig.assertSourceOwns();
            assertThat(rig.source.hasOpenSession()).isFalse();
        }
    }

    @Test
    void shouldHaveItsFormerStateWhenThatIsLargeAndHadToGoToAFile() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.spoolMemoryMib = 1;
            rig.service.modified(rig.values);
            String large = "text:" + "0123456789abcdef".repeat(200_000);
            rig.source.text = large;

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream("no state")));

            assertThat(failure.code()).isEqualTo(FailureCode.STREAM_REFUSED);
            assertThat(rig.source.text.equals(large)).isTrue();
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void shouldNotBeginWhenTheFormerStateCannotBeKept() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.spoolMemoryMib = 0;
            rig.values.spoolFileMib = 1;
            rig.service.modified(rig.values);
            String large = "text:" + "0123456789abcdef".repeat(100_000);
            rig.source.text = large;

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream("text:new")));

            assertThat(failure.code()).isEqualTo(FailureCode.IO_FAILED);
            assertThat(failure.message())
                    .contains("its former state cannot be kept", "spool.file.mib of dev.ferry.fsm.core");
            assertThat(rig.source.text.equals(large)).isTrue();
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.resets).hasValue(0);
        }
    }

    @Test
    void shouldNotTouchTheDeviceWhenTheNewStateCannotBeKept() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.spoolMemoryMib = 0;
            rig.values.spoolFileMib = 1;
            rig.service.modified(rig.values);
            String large = "text:" + "0123456789abcdef".repeat(100_000);

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream(large)));

            assertThat(failure.code()).isEqualTo(FailureCode.IO_FAILED);
            assertThat(failure.message())
                    .contains("the saved state cannot be kept", "spool.file.mib of dev.ferry.fsm.core");
            assertThat(rig.source.arcs).isEmpty();
            rig.assertSourceOwns();
        }
    }

    @ParameterizedTest
    @EnumSource(
            names = {"RUNNING_TO_RUNNING_P2P", "STOP_TO_STOP_COPY", "STOP_COPY_TO_STOP", "STOP_TO_RESUMING",
                "RESUMING_TO_STOP", "STOP_TO_RUNNING_P2P", "RUNNING_P2P_TO_RUNNING"})
    void shouldHaveItsFormerStateWhenAnArcFails(Arc arc) {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.once(arc, BROKEN);

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream("text:new")));

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldSayThatTheFormerStateIsLostWhenItCannotBeLoadedBack() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.onWrite = BROKEN;

            Failure failure = failureOf(() -> rig.service.restore(MigrationRig.SOURCE, stream("text:new")));

            assertThat(failure.following())
                    .extracting(Failure::message)
                    .anyMatch(message -> message.contains("before the restore is lost"));
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }

    private static ReadableByteChannel stream(String text) {
        return Channels.newChannel(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    static Failure failureOf(ThrowingCallable call) {
        MigrationException thrown = catchThrowableOfType(MigrationException.class, call);
        assertThat(thrown).isNotNull();
        return thrown.failure();
    }
}
