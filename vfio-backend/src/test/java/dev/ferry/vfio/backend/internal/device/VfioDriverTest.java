// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class VfioDriverTest extends DriverFixture {

    @ParameterizedTest
    @EnumSource(Arc.class)
    void shouldRefuseAnArcThatBeginsElsewhereWithoutAskingTheKernel(Arc arc) throws Exception {
        walk(RUNNING_TO_RUNNING_P2P);
        fake.steps.clear();
        if (arc.from() != DeviceState.RUNNING_P2P) {
            assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> driver.step(arc));
            assertThat(fake.steps).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"1, EACCES, ' (EPERM)'", "5, EIO, ''", "12, ENOMEM, ''", "16, EBUSY, ''", "110, ETIMEDOUT, ''"})
    void shouldTellWhereAFailedArcLeftTheDevice(int number, Errno errno, String exactly) throws Exception {
        SavingSession session = preCopy();
        walk(PRE_COPY_TO_PRE_COPY_P2P);
        fake.failing.put("7-3", number);

        DeviceException e = assertErrno(errno, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));

        assertThat(e).hasMessage("dev0 could not take PRE_COPY_P2P_TO_STOP_COPY: the request for STOP_COPY was refused"
                + exactly + "; it is in PRE_COPY_P2P now");
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
        assertThat(kernel.openFiles()).as("only the device").isEqualTo(1);
        fake.failing.clear();
        assertErrno(Errno.ENODEV, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));
        walk(PRE_COPY_P2P_TO_RUNNING_P2P);
    }

    @Test
    void shouldSeeTheErrorStateAndLeaveItByReset() throws Exception {
        fake.failing.put("2-5", 5);
        fake.failsToError = true;

        assertThat(assertErrno(Errno.EIO, () -> driver.step(RUNNING_TO_RUNNING_P2P)))
                .hasMessageEndingWith("it is in ERROR now");
        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
        driver.reset();
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldCloseADescriptorThatCameWithAFailure() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        fake.failing.put("1-3", 5);
        fake.descriptorWithFailure = true;

        assertErrno(Errno.EIO, () -> driver.step(STOP_TO_STOP_COPY));

        assertThat(kernel.openFiles()).isEqualTo(1);
    }

    @Test
    void shouldGoBackWhenTheStateWasReachedWithoutADescriptor() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        fake.outOfDescriptors = true;

        assertThat(assertErrno(Errno.ENOSPC, () -> driver.step(STOP_TO_STOP_COPY)))
                .hasMessageContaining("refused (EMFILE); it is in STOP now");
        assertThat(driver.state()).isEqualTo(DeviceState.STOP);
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
    void shouldSurviveAResetThatRacesWithAStep() throws Exception {
        fake.resetDuringSet = true;

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
        driver.close();
        driver = VfioDriver.of(device, Optional.empty(), () -> 50);
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
        SavingSession withoutOptIn = preCopy();
        assertThat(withoutOptIn.precopyInfo().reinitialized()).isFalse();
        assertThat(withoutOptIn.announcesReinitialization()).isFalse();
        assertThat(preCopyInfoWithV2(false)).isFalse();
        assertThat(preCopyInfoWithV2(true)).isTrue();
    }

    private boolean preCopyInfoWithV2(boolean reinit) throws DeviceException {
        driver.reset();
        fake.knowsPrecopyV2 = true;
        fake.reinit = reinit;
        driver.close();
        driver = VfioDriver.of(device, Optional.empty(), () -> 50);
        SavingSession session = preCopy();
        assertThat(session.announcesReinitialization()).isTrue();
        assertThat(session.precopyInfo().initialBytes()).isEqualTo(8);
        return session.precopyInfo().reinitialized();
    }

    @Test
    void shouldEstimateTheSizeAndAssumeMuchWhereTheKernelCannotTell() throws Exception {
        assertThat(driver.stopCopySize()).isEqualTo(16 + 16 + 256);
        fake.knowsDataSize = false;
        assertThat(driver.stopCopySize()).isEqualTo(100L << 30);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 2, 4})
    void shouldRefuseADeviceThatCannotBeMigrated(long flags) {
        fake.flags = flags;

        assertThat(assertErrno(Errno.EOPNOTSUPP, () -> VfioDriver.of(device, Optional.empty(), () -> 50)))
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
