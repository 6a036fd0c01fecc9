// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class VfioDriverTest extends DriverFixture {

    @Test
    void shouldCloseADescriptorThatComesWhenTheDriverIsClosed() throws Exception {
        for (Arc arc : new Arc[] {STOP_TO_STOP_COPY, STOP_TO_RESUMING}) {
            leaveIn(DeviceState.STOP);
            fake.behindSet = driver::close;

            assertThat(assertErrno(Errno.ENODEV, () -> driver.step(arc)))
                    .hasMessageContaining("the device is given back");

            assertThat(kernel.openFiles()).isEqualTo(1);
            fake.reset();
        }
    }

    @Test
    void shouldEndRecordingWhenTheDriverIsClosed() throws Exception {
        List<String> calls = new ArrayList<>();
        VfioDriver recording = new VfioDriver(device, Abilities.of(device),
                Optional.of(new RecordingTracker(calls)), () -> waitMillis);

        recording.close();

        assertThat(calls).containsExactly("stop");
    }

    @Test
    void shouldGiveItsMemoryBackWhateverTheEndOfRecordingComesTo() throws Exception {
        DirtyTracker tracker = new RecordingTracker(new ArrayList<>()) {
            @Override
            public void stop() {
                throw new OutOfMemoryError("told to be short of it");
            }
        };
        VfioDriver recording = new VfioDriver(device, Abilities.of(device), Optional.of(tracker), () -> waitMillis);
        recording.step(RUNNING_TO_PRE_COPY);

        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(recording::close);

        assertThat(recording.transfer.poll().scope().isAlive()).isFalse();
        assertThat(kernel.openFiles()).as("the device alone").isEqualTo(1);
    }

    /** Notes that it was stopped, and fails to. */
    private static class RecordingTracker implements DirtyTracker {
        private final List<String> calls;

        RecordingTracker(List<String> calls) {
            this.calls = calls;
        }

        @Override
        public Capabilities capabilities() {
            return new Capabilities("test", 4096, 1, true);
        }

        @Override
        public void start(long pageSize, List<IovaRange> ranges) {
            calls.add("start");
        }

        @Override
        public void reportAndClear(IovaRange range, ByteBuffer bitmap) {
            calls.add("report");
        }

        @Override
        public void stop() throws DeviceException {
            calls.add("stop");
            throw new DeviceException(Errno.EIO, "it goes on");
        }
    }

    @Test
    void shouldCloseTheDescriptorOfASessionWhenItsStateEnds() throws Exception {
        preCopy();
        assertThat(kernel.openFiles()).isEqualTo(2);
        walk(PRE_COPY_TO_RUNNING);
        assertThat(kernel.openFiles()).isEqualTo(1);
        SavingSession session = stopCopy();
        session.close();
        assertThat(kernel.openFiles()).isEqualTo(1);
        walk(STOP_COPY_TO_STOP);
    }

    @Test
    void shouldFindTheSessionDeadWhenSomebodyElseResetTheDevice() throws Exception {
        SavingSession session = preCopy();
        fake.reset();

        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
        assertErrno(Errno.EINVAL, () -> driver.step(PRE_COPY_TO_PRE_COPY_P2P));
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        preCopy();
    }

    @Test
    void shouldDropTheSessionBeforeAnArcWhenSomebodyElseResetTheDevice() throws Exception {
        preCopy();
        fake.reset();

        assertErrno(Errno.EINVAL, () -> driver.step(PRE_COPY_TO_PRE_COPY_P2P));

        assertThat(kernel.openFiles()).as("only the device").isEqualTo(1);
    }

    @Test
    void shouldKeepTheSessionWhenAnArcBeginsElsewhereInItsStates() throws Exception {
        SavingSession session = preCopy();

        assertErrno(Errno.EINVAL, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));

        assertThat(session.read(ByteBuffer.allocate(64))).isNotNegative();
    }

    @Test
    void shouldSurviveAResetThatRacesWithAStep() throws Exception {
        fake.behindSet = fake::reset;

        SavingSession session = preCopy();

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @EnumSource(value = DeviceState.class, names = "ERROR", mode = EnumSource.Mode.EXCLUDE)
    void shouldTakeOverADeviceThatWasLeftInAnyState(DeviceState state) throws Exception {
        leaveIn(state);

        assertThat(driver.state()).isEqualTo(state);
        driver.reset();
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    /** As a process that was killed leaves it: the kernel closed the data descriptor. */
    private void leaveIn(DeviceState state) throws DeviceException {
        VfioDevice.StateSet set = device.setState(state);
        if (set.dataFd() >= 0) {
            kernel.close(set.dataFd());
        }
        reopen();
    }

    @Test
    void shouldNotGoOnWithASessionThatIsGone() throws Exception {
        leaveIn(DeviceState.PRE_COPY_P2P);
        assertErrno(Errno.ENODEV, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));
        leaveIn(DeviceState.RUNNING);
        leaveIn(DeviceState.RESUMING);
        assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP));
        driver.reset();
        leaveIn(DeviceState.STOP_COPY);
        walk(STOP_COPY_TO_STOP, STOP_TO_RUNNING_P2P, RUNNING_P2P_TO_RUNNING);
    }

    @Test
    void shouldBelieveTheFlagsOfThePrecopyInformationOnlyAfterTheOptIn() throws Exception {
        SavingSession before = preCopy();
        assertThat(before.precopyInfo()).isEqualTo(new PrecopyInfo(8, 0, false));
        assertThat(before.announcesReinitialization()).isFalse();
        driver.reset();
        fake.knowsPrecopyV2 = true;
        leaveIn(DeviceState.RUNNING);
        SavingSession behind = preCopy();
        assertThat(behind.precopyInfo()).isEqualTo(new PrecopyInfo(8, 0, false));
        assertThat(behind.announcesReinitialization()).isTrue();
    }

    @Test
    void shouldFollowTheBytesThatARunningDeviceStillHasToGive() throws Exception {
        fake.knowsPrecopyV2 = true;
        leaveIn(DeviceState.RUNNING);
        SavingSession session = preCopy();
        fake.changeState(5);
        assertThat(session.precopyInfo()).isEqualTo(new PrecopyInfo(8, 5, false));
        fake.shortRead = 10;
        session.read(ByteBuffer.allocate(100));
        assertThat(session.precopyInfo()).isEqualTo(new PrecopyInfo(0, 3, false));

        fake.reinitialize(4);

        assertThat(session.precopyInfo()).isEqualTo(new PrecopyInfo(7, 0, true));
        fake.changeState(2);
        assertThat(session.precopyInfo()).isEqualTo(new PrecopyInfo(7, 2, false));
    }

    @Test
    void shouldEstimateTheSizeAndAssumeMuchWhereTheKernelCannotTell() throws Exception {
        assertThat(driver.stopCopySize()).isEqualTo(16 + 16 + (16 + 256) + 16);
        fake.knowsDataSize = false;
        for (int errno : new int[] {25, 22}) {
            fake.unknownErrno = errno;
            leaveIn(DeviceState.RUNNING);
            assertThat(driver.stopCopySize()).isEqualTo(100L << 30);
        }
    }

    @ParameterizedTest
    @CsvSource({"22, EINVAL", "25, ENOTTY", "5, EIO"})
    void shouldNotTakeAFailureToTellTheSizeForAnOldKernel(int number, Errno errno) {
        kernel.refuse(Request.DATA_SIZE, number);

        assertThat(assertErrno(errno, driver::stopCopySize))
                .hasMessage("dev0: VFIO_DEVICE_FEATURE GET MIG_DATA_SIZE failed; it is in RUNNING now");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 2, 4})
    void shouldRefuseADeviceThatCannotBeMigrated(long flags) {
        fake.flags = flags;

        assertThat(assertErrno(Errno.EOPNOTSUPP, () -> Abilities.of(device)))
                .hasMessageStartingWith("the kernel driver of dev0 ");
    }

    @Test
    void shouldKeepNothingOfTenThousandSessions() throws Exception {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
        for (int i = 0; i < 5_000; i++) {
            SavingSession session = preCopy();
            session.read(buffer.clear());
            walk(PRE_COPY_TO_RUNNING);
            stopCopy();
            walk(STOP_COPY_TO_STOP, STOP_TO_RUNNING_P2P, RUNNING_P2P_TO_RUNNING);
            fake.steps.clear();
        }
        assertThat(kernel.openFiles()).isEqualTo(1);
    }
}
