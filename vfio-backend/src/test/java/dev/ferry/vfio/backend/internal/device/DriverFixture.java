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

/** One fake device with a driver, and the ways to its sessions; leaves no descriptor open. */
abstract class DriverFixture {
    final FakeKernel kernel = new FakeKernel();
    final FakeDevice fake = new FakeDevice(kernel);
    /** Where no limit is meant to be met, a stalled build must not meet it. */
    volatile int waitMillis = 60_000;
    VfioDevice device;
    VfioDriver driver;

    @BeforeEach
    void open() throws DeviceException {
        device = new VfioDevice(kernel, new Descriptor(kernel, kernel.install(fake)), "dev0");
        driver = new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> waitMillis);
    }

    void reopen() throws DeviceException {
        driver.close();
        driver = new VfioDriver(device, Abilities.of(device), Optional.empty(), () -> waitMillis);
    }

    @AfterEach
    void shouldLeaveNoDescriptor() {
        driver.close();
        device.close();
        assertThat(kernel.openFiles()).isZero();
    }

    Optional<DataTransferSession> walk(Arc... arcs) throws DeviceException {
        Optional<DataTransferSession> session = Optional.empty();
        for (Arc arc : arcs) {
            Optional<DataTransferSession> opened = driver.step(arc);
            session = opened.isPresent() ? opened : session;
        }
        return session;
    }

    SavingSession stopCopy() throws DeviceException {
        return (SavingSession)
                walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_STOP_COPY).orElseThrow();
    }

    SavingSession preCopy() throws DeviceException {
        return (SavingSession) walk(RUNNING_TO_PRE_COPY).orElseThrow();
    }

    ResumingSession resuming() throws DeviceException {
        return (ResumingSession)
                walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING).orElseThrow();
    }

    static byte[] readAll(SavingSession session, ByteBuffer buffer) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (session.read(buffer.clear()) >= 0) {
            byte[] piece = new byte[buffer.flip().remaining()];
            buffer.get(piece);
            all.writeBytes(piece);
        }
        return all.toByteArray();
    }

    static DeviceException assertErrno(Errno errno, ThrowingCallable call) {
        return assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .actual();
    }
}
