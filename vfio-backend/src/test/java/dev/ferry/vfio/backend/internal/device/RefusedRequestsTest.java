// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** What becomes of each request on a device that the kernel refuses, or answers out of the ordinary. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RefusedRequestsTest extends DriverFixture {
    private static final int EIO = 5;
    private static final int ENODEV = 19;
    private static final int EINVAL = 22;
    private static final int ENOTTY = 25;

    /** The kernel writes nothing back then: what stands in the field of the descriptor is ours. */
    @Test
    void shouldCloseNothingWhenARequestForAStateIsRefusedBeforeItBegins() {
        kernel.refuse(Request.SET_STATE, EIO);

        assertThat(assertErrno(Errno.EIO, () -> driver.step(RUNNING_TO_PRE_COPY)))
                .hasMessageStartingWith("dev0 could not take RUNNING_TO_PRE_COPY: ")
                .hasMessageEndingWith("; it is in RUNNING now");
        assertThat(fake.steps).isEmpty();
    }

    @Test
    void shouldSayWhenNobodyCanTellWhereAFailedArcLeftTheDevice() throws Exception {
        SavingSession session = preCopy();
        kernel.fail(1, EIO, ENODEV); // the first asks where it is

        DeviceException e = assertErrno(Errno.EIO, () -> driver.step(PRE_COPY_TO_PRE_COPY_P2P));

        kernel.fail(-1, 0, 0);
        assertThat(e).hasMessageContaining("; where it is could not be asked: ");
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
        assertThat(kernel.openFiles()).isEqualTo(1);
    }

    @Test
    void shouldTakeNoArcWhileItCannotAskWhereTheDeviceIs() {
        kernel.refuse(Request.GET_STATE, EIO);

        assertErrno(Errno.EIO, () -> driver.step(RUNNING_TO_PRE_COPY));
        assertErrno(Errno.EIO, driver::state);
        assertThat(fake.steps).isEmpty();
    }

    @Test
    void shouldSayThatItDoesNotKnowAState() {
        fake.state = 8;

        assertThat(assertErrno(Errno.EIO, driver::state))
                .hasMessage("dev0 says it is in state 8, which this program does not know");
        assertThat(assertErrno(Errno.EIO, () -> driver.step(RUNNING_TO_PRE_COPY)))
                .hasMessage("dev0 could not take RUNNING_TO_PRE_COPY: dev0 says it is in state 8, which this program "
                        + "does not know; it is in state 8 now");
    }

    @Test
    void shouldNotTakeAResetForDoneThatLeftTheDeviceElsewhere() {
        fake.stateAfterReset = FakeDevice.STOP;

        assertThat(assertErrno(Errno.EIO, driver::reset)).hasMessage("dev0 was reset and is in STOP, not RUNNING");
    }

    @ParameterizedTest
    @CsvSource({"22, EINVAL", "25, ENOTTY"})
    void shouldSayWhatToDoWhereADeviceHasNoReset(int number, Errno errno) {
        kernel.refuse(Request.RESET, number);

        assertThat(assertErrno(errno, driver::reset))
                .hasMessageContaining("VFIO_DEVICE_RESET failed; the device has no reset; use the means of its host");
    }

    /** What a device that was left behind needs most is better known before. */
    @ParameterizedTest
    @CsvSource({"true, 0", "false, 1"})
    void shouldTellOfADeviceThatMayHaveNoResetWhenItIsOpened(boolean promised, int lines) throws Exception {
        ListAppender<ILoggingEvent> told = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(Abilities.class);
        told.start();
        logger.addAppender(told);
        try {
            fake.promisesReset = promised;
            reopen();
        } finally {
            logger.detachAppender(told);
        }
        assertThat(told.list).filteredOn(event -> event.getLevel() == Level.WARN)
                .extracting(ILoggingEvent::getFormattedMessage)
                .hasSize(lines)
                .allSatisfy(line -> assertThat(line).startsWith("the kernel does not promise that dev0 can be reset;"));
    }

    @Test
    void shouldNotSayThatADeviceHasNoResetWhenItFailed() {
        kernel.refuse(Request.RESET, EIO);

        assertThat(assertErrno(Errno.EIO, driver::reset))
                .hasMessageContaining("VFIO_DEVICE_RESET failed")
                .message().doesNotContain("has no reset");
    }

    @Test
    void shouldEndTheSessionEvenIfTheResetFails() throws Exception {
        SavingSession session = preCopy();
        kernel.refuse(Request.RESET, EIO);

        assertErrno(Errno.EIO, driver::reset);

        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @ValueSource(ints = {EINVAL, ENOTTY})
    void shouldTakeARefusalOfTheFlagsForNoMigrationSupport(int number) {
        kernel.refuse(Request.GET_MIGRATION, number);

        assertThat(assertErrno(Errno.EOPNOTSUPP, this::reopen))
                .hasMessage("the kernel driver of dev0 has no migration support;"
                        + " bind the device to its vendor's VFIO driver");
    }

    @Test
    void shouldNotTakeAnyOtherErrorForNoMigrationSupport() {
        kernel.refuse(Request.GET_MIGRATION, EIO);

        assertThat(assertErrno(Errno.EIO, this::reopen))
                .hasMessageContaining("VFIO_DEVICE_FEATURE GET MIGRATION failed");
    }

    @ParameterizedTest
    @CsvSource({"DEVICE_GET_INFO, VFIO_DEVICE_GET_INFO", "GET_REGION_INFO, VFIO_DEVICE_GET_REGION_INFO 7"})
    void shouldNotDriveADeviceThatDoesNotDescribeItself(Request request, String call) {
        kernel.refuse(request, ENODEV);

        assertThat(assertErrno(Errno.ENODEV, this::reopen)).hasMessageContaining(call + " failed");
    }

    @Test
    void shouldAskForReliableFlagsOnceAndOnlyOfDevicesWithPreCopy() throws Exception {
        fake.knowsPrecopyV2 = true;
        reopen();
        assertThat(fake.precopyV2).isTrue();

        fake.flags = 3;
        kernel.asked.clear();
        reopen();
        assertThat(kernel.asked).doesNotContain(Request.PRECOPY_INFO_V2);
    }

    @ParameterizedTest
    @ValueSource(ints = {EINVAL, ENOTTY})
    void shouldNotBelieveFlagsThatItCouldNotAskFor(int number) throws Exception {
        fake.knowsPrecopyV2 = true;
        kernel.refuse(Request.PRECOPY_INFO_V2, number);
        reopen();

        assertThat(preCopy().precopyInfo().reinitialized()).isFalse();
    }

    /** The second call asks for reliable flags, the third whether the size of the state is known. */
    @ParameterizedTest
    @CsvSource({"1, 5, SET MIG_PRECOPY_INFOv2", "1, 19, SET MIG_PRECOPY_INFOv2",
        "2, 5, PROBE GET MIG_DATA_SIZE", "2, 12, PROBE GET MIG_DATA_SIZE"})
    void shouldNotTakeAnErrorForAKernelThatKnowsLess(int call, int number, String name) {
        fake.knowsPrecopyV2 = true;
        kernel.fail(call, number, 0);

        assertThatExceptionOfType(KernelException.class)
                .isThrownBy(this::reopen)
                .matches(e -> e.number() == number)
                .withMessageContaining("VFIO_DEVICE_FEATURE " + name + " failed");
    }

    @ParameterizedTest
    @ValueSource(ints = {EINVAL, ENOTTY})
    void shouldAssumeMuchWhereTheKernelDoesNotKnowTheSize(int number) throws Exception {
        kernel.fail(2, number, 0);
        reopen();

        assertThat(driver.stopCopySize()).isEqualTo(100L << 30);
    }

    @ParameterizedTest
    @CsvSource({"5, EIO", "22, EINVAL", "19, ENODEV"})
    void shouldPassOnARefusalOfThePrecopyInformation(int number, Errno errno) throws Exception {
        SavingSession session = preCopy();
        kernel.refuse(Request.PRECOPY_INFO, number);

        assertThat(assertErrno(errno, session::precopyInfo)).hasMessageContaining("VFIO_MIG_GET_PRECOPY_INFO failed");
    }

    @Test
    void shouldTakeUnsignedSizesForMuchAndLetThemBeAdded() throws Exception {
        SavingSession session = preCopy();
        fake.precopyBytes = -1L;

        PrecopyInfo info = session.precopyInfo();

        assertThat(info.initialBytes()).isEqualTo(Long.MAX_VALUE / 2);
        assertThat(Math.addExact(info.initialBytes(), info.dirtyBytes())).isPositive();
        fake.precopyBytes = 3L << 40;
        assertThat(session.precopyInfo()).isEqualTo(new PrecopyInfo(3L << 40, 3L << 40, false));
    }

    @Test
    void shouldTakeAnUnsignedStopCopySizeForMuch() throws Exception {
        fake.dataSize = -1L;
        assertThat(driver.stopCopySize()).isEqualTo(100L << 30);
        fake.dataSize = Long.MAX_VALUE;
        assertThat(driver.stopCopySize()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldEndTheSessionWhenNobodyCanTellWhatNothingMeans() throws Exception {
        SavingSession session = stopCopy();
        assertThat(session.read(ByteBuffer.allocate(100))).isEqualTo(32);
        kernel.refuse(Request.GET_STATE, EIO);
        assertErrno(Errno.EIO, () -> session.read(ByteBuffer.allocate(100)));
        kernel.refuse(Request.GET_STATE, 0);

        assertErrno(Errno.EIO, () -> session.read(ByteBuffer.allocate(100)));
    }
}
