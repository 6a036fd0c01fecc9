// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import java.nio.ByteBuffer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every error of a call on a device names the call and the device, and the state that was read back afterwards. */
class KernelErrorsTest extends DriverFixture {
    private static final int EBUSY = 16;
    private static final int ENODEV = 19;
    private static final int ENOTTY = 25;
    private static final String NOWHERE =
            "where it is could not be asked: dev0: VFIO_DEVICE_FEATURE GET MIG_DEVICE_STATE failed (ENODEV)";

    /** One call of what is done fails, and the kernel is there again when the state is asked for. */
    private void assertTold(int call, String message, ThrowingCallable done) {
        kernel.fail(call, EBUSY, 0);
        assertThat(assertErrno(Errno.EBUSY, done)).hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource({"0, VFIO_DEVICE_FEATURE GET MIG_DEVICE_STATE", "1, VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE PRE_COPY"})
    void shouldNameTheArcWithWhateverCallOfIt(int call, String name) {
        assertTold(call, "dev0 could not take RUNNING_TO_PRE_COPY: " + name + " failed; it is in RUNNING now",
                () -> driver.step(RUNNING_TO_PRE_COPY));
    }

    @Test
    void shouldSayWhereTheDeviceIsWhenASavingSessionFails() throws Exception {
        SavingSession session = preCopy();
        assertTold(0, "dev0: VFIO_MIG_GET_PRECOPY_INFO failed; it is in PRE_COPY now", session::precopyInfo);
        walk(PRE_COPY_TO_PRE_COPY_P2P);
        assertTold(1, "dev0: read of the device's data failed; it is in PRE_COPY_P2P now",
                () -> session.read(ByteBuffer.allocate(100)));
    }

    @Test
    void shouldNameTheWaitingWhenThatFailed() throws Exception {
        SavingSession session = preCopy();
        assertTold(0, "dev0: poll of the device's data failed; it is in PRE_COPY now",
                () -> session.read(ByteBuffer.allocate(100)));
    }

    @Test
    void shouldSayWhereTheDeviceIsWhenItsConfigurationSpaceCannotBeRead() throws Exception {
        SavingSession session = stopCopy();
        readData(session);
        assertTold(3, "dev0: pread of a region at 0x0 failed; it is in STOP_COPY now",
                () -> session.read(ByteBuffer.allocate(100)));
    }

    private static void readData(SavingSession session) throws Exception {
        assertThat(session.read(ByteBuffer.allocate(100))).isEqualTo(32);
    }

    @Test
    void shouldSayWhereTheDeviceIsWhenAResumingSessionFails() throws Exception {
        ResumingSession session = resuming();
        ByteBuffer data = ByteBuffer.allocate(17).putLong(0xFFFFFFFF_EF100004L).putLong(1).rewind();

        assertTold(1, "dev0: write of the device's data failed; it is in RESUMING now", () -> session.write(data));
    }

    @Test
    void shouldSayWhereTheDeviceIsWhenItCannotBeReset() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        assertTold(0, "dev0: VFIO_DEVICE_RESET failed; it is in STOP now", driver::reset);

        kernel.fail(0, ENOTTY, 0);
        assertThat(assertErrno(Errno.ENOTTY, driver::reset)).hasMessage("dev0: VFIO_DEVICE_RESET failed; "
                + "the device has no reset; use the means of its host; it is in STOP now");
    }

    @Test
    void shouldSayWhyNobodyKnowsWhereTheDeviceIs() throws Exception {
        SavingSession session = preCopy();
        kernel.fail(0, EBUSY, ENODEV);
        assertThat(assertErrno(Errno.EBUSY, session::precopyInfo))
                .hasMessage("dev0: VFIO_MIG_GET_PRECOPY_INFO failed; " + NOWHERE);

        kernel.fail(0, ENODEV, ENODEV);
        assertThat(assertErrno(Errno.ENODEV, () -> driver.step(PRE_COPY_TO_RUNNING))).hasMessage(
                "dev0 could not take PRE_COPY_TO_RUNNING: VFIO_DEVICE_FEATURE GET MIG_DEVICE_STATE failed; " + NOWHERE);
        assertThat(assertErrno(Errno.ENODEV, driver::state))
                .hasMessage("dev0: VFIO_DEVICE_FEATURE GET MIG_DEVICE_STATE failed");
        kernel.fail(-1, 0, 0);
    }

    @Test
    void shouldGiveAReasonThatStandsAlone() {
        assertThat(KernelException.reason(new KernelException("dev0", "open", EBUSY, "close it", "it is in STOP now")))
                .isEqualTo("dev0: open failed (EBUSY); close it");
        assertThat(KernelException.reason(new KernelException("dev0", "open", 1)))
                .isEqualTo("dev0: open failed (EPERM)");
        assertThat(KernelException.reason(new DeviceException(Errno.EIO, "no bytes"))).isEqualTo("no bytes");
    }
}
