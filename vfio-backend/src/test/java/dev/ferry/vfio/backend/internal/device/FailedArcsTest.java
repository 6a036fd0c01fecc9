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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Arcs that are refused, fail, or reach their state with the wrong descriptor. */
class FailedArcsTest extends DriverFixture {

    static Stream<Arc> arcsThatBeginElsewhere() {
        return Stream.of(Arc.values()).filter(arc -> arc.from() != DeviceState.RUNNING_P2P);
    }

    @ParameterizedTest
    @MethodSource("arcsThatBeginElsewhere")
    void shouldRefuseAnArcThatBeginsElsewhereWithoutChangingTheDevice(Arc arc) throws Exception {
        walk(RUNNING_TO_RUNNING_P2P);
        fake.steps.clear();

        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> driver.step(arc));

        assertThat(fake.steps).isEmpty();
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING_P2P);
    }

    @ParameterizedTest
    @CsvSource({"1, EACCES, ' (EPERM)'", "5, EIO, ''", "12, ENOMEM, ''", "16, EBUSY, ''", "110, ETIMEDOUT, ''"})
    void shouldTellWhereAFailedArcLeftTheDevice(int number, Errno errno, String exactly) throws Exception {
        SavingSession session = preCopy();
        walk(PRE_COPY_TO_PRE_COPY_P2P);
        fake.failing.put("7-3", number);

        DeviceException e = assertErrno(errno, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));

        assertThat(e).hasMessage("dev0 could not take PRE_COPY_P2P_TO_STOP_COPY: "
                + "VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE STOP_COPY failed" + exactly
                + "; it is in PRE_COPY_P2P now");
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
    void shouldNotCloseANumberThatTheKernelTookBack() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        fake.takenBack = kernel.install(fake);

        assertThat(assertErrno(Errno.EFAULT, () -> driver.step(STOP_TO_STOP_COPY)))
                .hasMessageEndingWith("it is in STOP now");

        assertThat(kernel.close(fake.takenBack)).as("another file has the number").isZero();
    }

    @Test
    void shouldGoBackWhenTheStateWasReachedWithoutADescriptor() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        fake.outOfDescriptors = true;

        assertThat(assertErrno(Errno.ENOSPC, () -> driver.step(STOP_TO_STOP_COPY)))
                .hasMessageContaining("failed (EMFILE); it is in STOP now");
        assertThat(driver.state()).isEqualTo(DeviceState.STOP);
    }

    @Test
    void shouldStayInResumingWhereNoDescriptorCouldBeHad() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        fake.outOfDescriptors = true;

        assertThat(assertErrno(Errno.ENOSPC, () -> driver.step(STOP_TO_RESUMING)))
                .hasMessageContaining("failed (EMFILE); it is in RESUMING now");
        fake.outOfDescriptors = false;
        assertThat(assertErrno(Errno.EINVAL, () -> driver.step(RESUMING_TO_STOP)))
                .hasMessageEndingWith("is gone; reset the device");
        driver.reset();
        resuming();
    }

    @Test
    void shouldNotUndoAnArcThatOpensNothing() throws Exception {
        for (Arc arc : new Arc[] {RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_STOP_COPY, STOP_COPY_TO_STOP,
            STOP_TO_RUNNING_P2P, RUNNING_P2P_TO_RUNNING}) {
            fake.strayDescriptor = arc.sessionEffect() != Arc.SessionEffect.OPENS_SAVING;
            fake.steps.clear();
            if (fake.strayDescriptor) {
                assertThat(assertErrno(Errno.EIO, () -> driver.step(arc)))
                        .hasMessageContaining("where none belongs; it is in " + arc.to() + " now");
            } else {
                walk(arc);
            }
            assertThat(fake.steps).hasSize(1);
        }
        assertThat(kernel.openFiles()).isEqualTo(1);
    }

    /** A reset by somebody else, and the errno of an arc that the device then lost. */
    @Test
    void shouldNotUndoTheResetOfSomebodyElse() throws Exception {
        walk(RUNNING_TO_RUNNING_P2P);
        fake.behindSet = fake::reset;
        fake.strayDescriptor = true;
        fake.steps.clear();

        assertThat(assertErrno(Errno.EIO, () -> driver.step(RUNNING_P2P_TO_RUNNING)))
                .hasMessageEndingWith("it is in RUNNING now");
        assertThat(fake.steps).containsExactly("5-2", "reset");
    }
}
