// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeKernel;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class VfioDriverTest {
    private final FakeKernel kernel = new FakeKernel();
    private final FakeDevice fake = new FakeDevice(kernel);
    private VfioDevice device;
    private VfioDriver driver;

    @BeforeEach
    void open() throws DeviceException {
        device = new VfioDevice(kernel, new Descriptor(kernel, kernel.install(fake)), "dev0");
        driver = VfioDriver.of(device, Optional.empty(), () -> 50);
    }

    @AfterEach
    void shouldLeaveNoDescriptor() {
        driver.close();
        device.close();
        assertThat(kernel.openFiles()).isZero();
    }

    private Optional<DataTransferSession> walk(Arc... arcs) throws DeviceException {
        Optional<DataTransferSession> session = Optional.empty();
        for (Arc arc : arcs) {
            Optional<DataTransferSession> opened = driver.step(arc);
            session = opened.isPresent() ? opened : session;
        }
        return session;
    }

    private SavingSession stopCopy() throws DeviceException {
        return (SavingSession)
                walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_STOP_COPY).orElseThrow();
    }

    private SavingSession preCopy() throws DeviceException {
        return (SavingSession) walk(RUNNING_TO_PRE_COPY).orElseThrow();
    }

    private ResumingSession resuming() throws DeviceException {
        return (ResumingSession)
                walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING).orElseThrow();
    }

    private static byte[] readAll(SavingSession session, ByteBuffer buffer) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (session.read(buffer.clear()) >= 0) {
            byte[] piece = new byte[buffer.flip().remaining()];
            buffer.get(piece);
            all.writeBytes(piece);
        }
        return all.toByteArray();
    }

    private static DeviceException assertErrno(Errno errno, ThrowingCallable call) {
        return assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .actual();
    }

    @Test
    void shouldFrameTheStateAsDataConfigAndEnd() throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocateDirect(8192));

        ByteBuffer read = ByteBuffer.wrap(state);
        assertThat(read.getLong()).isEqualTo(0xFFFFFFFF_EF100004L);
        assertThat(read.getLong()).isEqualTo(16);
        byte[] data = new byte[16];
        read.get(data);
        assertThat(data).asString().isEqualTo("DEVSTATE\7Bonjour");
        assertThat(read.getLong()).isEqualTo(0xFFFFFFFF_EF100002L);
        assertThat(read.getLong()).isEqualTo(256);
        assertThat(read.get()).isEqualTo((byte) 0xF4);
        read.position(read.position() + 255);
        assertThat(read.getLong()).isEqualTo(0xFFFFFFFF_EF100001L);
        assertThat(read.getLong()).isZero();
        assertThat(read.hasRemaining()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 17, 4096, 5000})
    void shouldGiveTheSameDataToBuffersOfEverySize(int size) throws Exception {
        byte[] heap = readAll(stopCopy(), ByteBuffer.allocate(size));
        driver.reset();
        byte[] direct = readAll(stopCopy(), ByteBuffer.allocateDirect(size));

        assertThat(direct).isEqualTo(heap);
    }

    @Test
    void shouldSayNothingForNowInPreCopyWhateverTheKernelDriverSays() throws Exception {
        for (boolean zero : new boolean[] {false, true}) {
            fake.zeroInPreCopy = zero;
            SavingSession session = preCopy();
            assertThat(session.read(ByteBuffer.allocate(100))).isEqualTo(24); // a header, and the 8 initial bytes
            assertThat(session.read(ByteBuffer.allocate(100))).isZero();
            assertThat(session.read(ByteBuffer.allocateDirect(8192))).isZero();
            walk(PRE_COPY_TO_RUNNING);
        }
    }

    @Test
    void shouldNotWaitForDataInPreCopy() throws Exception {
        SavingSession session = preCopy();
        fake.silent = true;

        assertThat(session.read(ByteBuffer.allocate(100))).isZero();
    }

    @Test
    void shouldGiveUpWaitingForAStoppedDevice() throws Exception {
        SavingSession session = stopCopy();
        fake.silent = true;

        DeviceException e = assertErrno(Errno.ETIMEDOUT, () -> session.read(ByteBuffer.allocate(100)));
        assertThat(e).hasMessage("dev0 is stopped and gave no data within 50 ms");
        fake.silent = false;
        assertErrno(Errno.EIO, () -> session.read(ByteBuffer.allocate(100)));
    }

    @Test
    void shouldNotTakeNothingForNowForTheEndOfAStoppedDevice() throws Exception {
        SavingSession session = stopCopy();
        fake.readErrno = 42;

        assertErrno(Errno.ENOMSG, () -> session.read(ByteBuffer.allocate(100)));
    }

    @ParameterizedTest
    @CsvSource({"5, EIO, ''", "12, ENOMEM, ''", "19, ENODEV, ''", "121, EIO, (errno 121)", "7, EOVERFLOW, (E2BIG)"})
    void shouldTellTheKernelsErrorOfARead(int number, Errno errno, String exactly) throws Exception {
        SavingSession session = stopCopy();
        fake.readErrno = number;

        DeviceException e = assertErrno(errno, () -> session.read(ByteBuffer.allocateDirect(8192)));
        assertThat(e).hasMessageStartingWith("dev0: read of the device's data failed").hasMessageEndingWith(
                exactly.isEmpty() ? "failed" : exactly);
    }

    @Test
    void shouldGoOnWhenASignalInterrupts() throws Exception {
        SavingSession session = stopCopy();
        kernel.interruptNext(5);

        assertThat(session.read(ByteBuffer.allocate(100))).isEqualTo(32);
    }

    @Test
    void shouldLoadWhatItSavedAndRestoreTheConfigurationSpace() throws Exception {
        fake.config[0x10] = 0x40;
        fake.config[0x04] = 0x07;
        fake.config[0x3C] = 0x0B;
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(64));
        driver.reset();
        fake.content = new byte[0];
        fake.config[0x10] = 0;
        fake.config[0x04] = 0;
        fake.config[0x3C] = 0;
        fake.config[0x08] = 3; // another revision of the same device
        fake.steps.clear();

        resuming().write(ByteBuffer.wrap(state));
        walk(RESUMING_TO_STOP, STOP_TO_RUNNING_P2P, RUNNING_P2P_TO_RUNNING);

        assertThat(fake.content).asString().isEqualTo("Bonjour");
        assertThat(fake.config[0x10]).isEqualTo((byte) 0x40);
        assertThat(fake.config[0x3C]).isEqualTo((byte) 0x0B);
        assertThat(fake.config[0x04]).isEqualTo((byte) 0x07);
        assertThat(fake.steps).containsExactly(
                "2-5", "5-1", "1-4", "config 0x10", "config 0x14", "config 0x18", "config 0x1c", "config 0x20",
                "config 0x24", "config 0x0c", "config 0x0d", "config 0x3c", "config 0x04", "4-1", "1-5", "5-2");
    }

    @Test
    void shouldRefuseTheStateOfAnotherKindOfDevice() throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(64));
        driver.reset();
        fake.config[2] = 0x42;
        ResumingSession session = resuming();

        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.wrap(state)));
        assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP));
        assertThat(fake.steps).noneMatch(step -> step.startsWith("config"));
    }

    @Test
    void shouldTakeAFailedWriteForTheEndEvenIfTheKernelWouldGoOn() throws Exception {
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(64));
        driver.reset();
        ResumingSession session = resuming();
        fake.writeErrno = 14;
        assertErrno(Errno.EFAULT, () -> session.write(ByteBuffer.wrap(state)));
        fake.writeErrno = 0;

        assertErrno(Errno.EIO, () -> session.write(ByteBuffer.wrap(state)));
        assertThat(assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP)))
                .hasMessage("the state given to dev0 was refused; reset the device");
        assertThat(fake.state).isEqualTo(FakeDevice.RESUMING);
        driver.reset();
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldRefuseBytesThatAreNoState() throws Exception {
        for (byte[] bytes : new byte[][] {
            new byte[16],
            record(0xFFFFFFFF_EF100002L, 4097),
            record(0xFFFFFFFF_EF100004L, -1),
            record(0xFFFFFFFF_EF100001L, 1),
            record(0xFFFFFFFF_EF100005L, 0)
        }) {
            ResumingSession session = resuming();
            assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.wrap(bytes)));
            driver.reset();
        }
    }

    @Test
    void shouldRefuseBytesBehindTheEnd() throws Exception {
        ResumingSession session = resuming();
        session.write(ByteBuffer.wrap(record(0xFFFFFFFF_EF100001L, 0)));

        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.allocate(1)));
    }

    private static byte[] record(long mark, long length) {
        return ByteBuffer.allocate(16).putLong(mark).putLong(length).array();
    }

    @Test
    void shouldSayWhenTheKernelRefusesTheLoadedState() throws Exception {
        ResumingSession session = resuming();
        session.write(ByteBuffer.wrap(record(0xFFFFFFFF_EF100001L, 0)));

        DeviceException e = assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP));

        assertThat(e).hasMessage(
                "dev0 could not take RESUMING_TO_STOP: the request for STOP was refused; it is in RESUMING now");
        assertThat(e.getCause()).isInstanceOfSatisfying(KernelException.class, cause -> {
            assertThat(cause.call()).isEqualTo("VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE STOP");
            assertThat(cause.errnoName()).isEqualTo("EINVAL");
        });
        assertErrno(Errno.ENODEV, () -> session.write(ByteBuffer.allocate(1)));
    }

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
        assertThat(preCopy().precopyInfo().reinitialized()).isFalse();
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
