// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VfioSessionTest extends DriverFixture {
    private static final long END = 0xFFFFFFFF_EF100001L;
    private static final long CONFIG = 0xFFFFFFFF_EF100002L;
    private static final long DATA = 0xFFFFFFFF_EF100004L;

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

    /** Another thread stops the device between a read that gives nothing and the question what that means. */
    @Test
    void shouldNotTakeTheEndOfPreCopyForTheEndOfTheState() throws Exception {
        for (int size : new int[] {100, 8192}) {
            fake.zeroInPreCopy = true;
            SavingSession session = preCopy();
            ByteBuffer buffer = ByteBuffer.allocateDirect(size);
            assertThat(session.read(buffer)).isEqualTo(24);
            fake.behindRead = () -> stopAndCopy();

            assertThat(session.read(buffer.clear())).isZero();

            assertThat(fake.state).isEqualTo(FakeDevice.STOP_COPY);
            assertThat(session.read(buffer.clear())).isEqualTo(16 + 8);
            walk(STOP_COPY_TO_STOP, STOP_TO_RUNNING_P2P, RUNNING_P2P_TO_RUNNING);
        }
    }

    private void stopAndCopy() {
        try {
            walk(PRE_COPY_TO_PRE_COPY_P2P, PRE_COPY_P2P_TO_STOP_COPY);
        } catch (DeviceException e) {
            throw new AssertionError(e);
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
        waitMillis = 50;
        SavingSession session = stopCopy();
        fake.silent = true;

        DeviceException e = assertErrno(Errno.ETIMEDOUT, () -> session.read(ByteBuffer.allocate(100)));
        assertThat(e).hasMessage("dev0 is stopped and gave no data within 50 ms");
        fake.silent = false;
        assertErrno(Errno.EIO, () -> session.read(ByteBuffer.allocate(100)));
    }

    /** Nothing was asked of the kernel, so no call is to blame. */
    @Test
    void shouldSayThatASavingSessionHasEndedWhenThatIsWhyItsReadFails() throws Exception {
        SavingSession session = endedAtTheNextWait(this::stopCopy);

        DeviceException e = assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(100)));

        assertThat(e).hasMessage("the data transfer session of dev0 has ended");
    }

    @Test
    void shouldSayThatAResumingSessionHasEndedWhenThatIsWhyItsWriteFails() throws Exception {
        ResumingSession session = endedAtTheNextWait(this::resuming);
        ByteBuffer data = ByteBuffer.allocate(17).putLong(DATA).putLong(1).rewind();

        DeviceException e = assertErrno(Errno.ENODEV, () -> session.write(data));

        assertThat(e).hasMessage("the data transfer session of dev0 has ended");
    }

    private interface Opening<S> {
        S session() throws DeviceException;
    }

    /** A session that the driver drops between its check that it is usable and its first call. */
    private <S> S endedAtTheNextWait(Opening<S> opening) throws DeviceException {
        driver.close();
        driver = new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> {
            assertThatNoException().isThrownBy(driver::reset);
            return waitMillis;
        });
        return opening.session();
    }

    @Test
    void shouldNotTakeNothingForNowForTheEndOfAStoppedDevice() throws Exception {
        SavingSession session = stopCopy();
        kernel.refuse(Request.DATA_READ, 42);

        assertErrno(Errno.ENOMSG, () -> session.read(ByteBuffer.allocate(100)));
    }

    @ParameterizedTest
    @CsvSource({"5, EIO, ''", "12, ENOMEM, ''", "19, ENODEV, ''", "121, EIO, ' (EREMOTEIO)'",
        "7, EOVERFLOW, ' (E2BIG)'"})
    void shouldTellTheKernelsErrorOfARead(int number, Errno errno, String exactly) throws Exception {
        SavingSession session = stopCopy();
        kernel.refuse(Request.DATA_READ, number);

        DeviceException e = assertErrno(errno, () -> session.read(ByteBuffer.allocateDirect(8192)));
        assertThat(e).hasMessage(
                "dev0: read of the device's data failed" + exactly + "; it is in STOP_COPY now");
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
                "config 0x24", "config 0x30", "config 0x0c", "config 0x0d", "config 0x3c", "config 0x04",
                "4-1", "1-5", "5-2");
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
        kernel.refuse(Request.DATA_WRITE, 14);
        assertErrno(Errno.EFAULT, () -> session.write(ByteBuffer.wrap(state)));
        kernel.refuse(Request.DATA_WRITE, 0);

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
            record(CONFIG, 4097),
            record(DATA, -1),
            record(END, 1),
            record(0xFFFFFFFF_EF100005L, 0)
        }) {
            assertRefused(bytes);
        }
    }

    private String assertRefused(byte[]... records) throws Exception {
        ResumingSession session = resuming();
        for (int i = 0; i < records.length - 1; i++) {
            session.write(ByteBuffer.wrap(records[i]));
        }
        ByteBuffer last = ByteBuffer.wrap(records[records.length - 1]);
        DeviceException e = assertErrno(Errno.EINVAL, () -> session.write(last));
        assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP));
        driver.reset();
        return e.getMessage();
    }

    @Test
    void shouldRefuseRecordsThatNoSavingSessionGives() throws Exception {
        assertThat(assertRefused(record(END, 0)))
                .isEqualTo("the state given to dev0 ends without the configuration space of a PCI device");
        assertThat(assertRefused(config(), record(CONFIG, 256)))
                .isEqualTo("the state given to dev0 has two configuration spaces");
        assertThat(assertRefused(config(), record(DATA, 1)))
                .isEqualTo("the state given to dev0 goes on with data after its configuration space");
        assertThat(assertRefused(config(), record(DATA, 0)))
                .isEqualTo("the state given to dev0 goes on with data after its configuration space");
        assertThat(assertRefused(record(CONFIG, 255))).isEqualTo(
                "the state given to dev0 has a configuration space of 255 bytes, and the device's has 256");
        assertThat(assertRefused(record(CONFIG, 0))).isEqualTo(
                "the state given to dev0 has a configuration space of 0 bytes, and the device's has 256");
    }

    @Test
    void shouldMoveADeviceThatIsNoPciDeviceWithoutAConfigurationSpace() throws Exception {
        fake.pci = false;
        driver.close();
        driver = new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> waitMillis);
        byte[] state = readAll(stopCopy(), ByteBuffer.allocate(64));
        driver.reset();
        fake.content = new byte[0];

        resuming().write(ByteBuffer.wrap(state));
        walk(RESUMING_TO_STOP);

        assertThat(fake.content).asString().isEqualTo("Bonjour");
        assertThat(state).hasSize(16 + 16 + 16);
        driver.reset();
        assertThat(assertRefused(record(CONFIG, 256)))
                .isEqualTo("the state was saved from a PCI device, and dev0 is none");
    }

    /** A configuration space of the device's own kind, as a record. */
    private byte[] config() {
        return ByteBuffer.allocate(16 + 256).put(record(CONFIG, 256)).put(fake.config).array();
    }

    @Test
    void shouldRefuseBytesBehindTheEnd() throws Exception {
        ResumingSession session = resuming();
        session.write(ByteBuffer.wrap(config()));
        session.write(ByteBuffer.wrap(record(END, 0)));

        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.allocate(1)));
    }

    private static byte[] record(long mark, long length) {
        return ByteBuffer.allocate(16).putLong(mark).putLong(length).array();
    }

    @Test
    void shouldSayWhenTheKernelRefusesTheLoadedState() throws Exception {
        ResumingSession session = resuming();
        session.write(ByteBuffer.wrap(config()));
        session.write(ByteBuffer.wrap(record(END, 0)));

        DeviceException e = assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP));

        assertThat(e).hasMessage(
                "dev0 could not take RESUMING_TO_STOP: VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE STOP failed; "
                        + "it is in RESUMING now");
        assertThat(e.getCause()).isInstanceOfSatisfying(KernelException.class, cause -> {
            assertThat(cause.call()).isEqualTo("VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE STOP");
            assertThat(cause.errnoName()).isEqualTo("EINVAL");
        });
        assertErrno(Errno.ENODEV, () -> session.write(ByteBuffer.allocate(1)));
    }
}
