// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.fsm.Arc.RUNNING_P2P_TO_STOP;
import static dev.ferry.fsm.Arc.RUNNING_TO_PRE_COPY;
import static dev.ferry.fsm.Arc.RUNNING_TO_RUNNING_P2P;
import static dev.ferry.fsm.Arc.STOP_TO_RESUMING;
import static dev.ferry.virtio.net.provider.internal.Fixture.assertErrno;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ResetTest {

    private final FakeResettableQueue queue = new FakeResettableQueue();
    private Fixture fixture;
    private VirtioNetDriver driver;

    @BeforeEach
    void setUp() throws DeviceException {
        fixture = new Fixture(queue);
        driver = fixture.driver;
    }

    private void resetFromAnotherThread() {
        CompletableFuture<Void> reset = CompletableFuture.runAsync(() -> {
            try {
                driver.reset();
            } catch (DeviceException e) {
                throw new AssertionError(e);
            }
        });
        reset.orTimeout(30, TimeUnit.SECONDS).join(); // It must not wait for the step.
    }

    @Test
    void shouldEndSessionsThenResetTheFunction() throws Exception {
        ResumingSession session = (ResumingSession) fixture.walk(
                        RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING)
                .orElseThrow();
        queue.commands.clear();

        driver.reset();

        assertThat(queue.commands).containsExactly(Fixture.destroy(0), "FLR 3");
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertErrno(Errno.ENODEV, () -> session.write(ByteBuffer.allocate(1)));
    }

    @Test
    void shouldWinOverAStepInProgress() throws Exception {
        queue.before(FakeAdminQueue.MODE_SET, () -> {
            queue.scripts.clear();
            resetFromAnotherThread();
            assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        });

        driver.step(RUNNING_TO_RUNNING_P2P);

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        // The stop may have come after the reset, so the device is told to run again.
        assertThat(queue.commands).containsExactly(Fixture.STOP, "FLR 3", Fixture.RESUME);
    }

    @Test
    void shouldKillASessionThatIsBeingOpened() throws Exception {
        queue.before(FakeAdminQueue.PARTS_GET, () -> {
            queue.scripts.clear();
            resetFromAnotherThread();
        });

        SavingSession session = (SavingSession) driver.step(RUNNING_TO_PRE_COPY).orElseThrow();

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertThat(queue.objects).isEmpty();
        assertThat(fixture.owner.ids().taken()).isZero();
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
    }

    @Test
    void shouldKillASessionThatIsBeingWritten() throws Exception {
        ResumingSession session = (ResumingSession) fixture.walk(
                        RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING)
                .orElseThrow();
        queue.before(FakeAdminQueue.PARTS_SET, () -> {
            queue.scripts.clear();
            resetFromAnotherThread();
        });

        session.write(ByteBuffer.wrap(queue.image));

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertThat(queue.objects).isEmpty();
        assertErrno(Errno.ENODEV, () -> session.write(ByteBuffer.wrap(queue.image)));
    }

    @Test
    void shouldBeInErrorWhenAnOvertakenDeviceCannotBeToldToRun() throws Exception {
        queue.before(FakeAdminQueue.MODE_SET, () -> {
            queue.refuse(FakeAdminQueue.MODE_SET, 16, 1);
            resetFromAnotherThread();
        });

        driver.step(RUNNING_TO_RUNNING_P2P);

        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
    }

    @Test
    void shouldLeadOutOfError() throws Exception {
        queue.hang(FakeAdminQueue.MODE_SET);
        assertErrno(Errno.ETIMEDOUT, () -> driver.step(RUNNING_TO_RUNNING_P2P));
        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
        queue.scripts.clear();

        driver.reset();

        driver.step(RUNNING_TO_RUNNING_P2P);
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING_P2P);
    }

    @Test
    void shouldBeInErrorWhenTheFunctionIsNotReset() throws Exception {
        driver.step(RUNNING_TO_PRE_COPY);
        queue.resetFails = new DeviceException(Errno.EIO, "stuck");

        assertErrno(Errno.EIO, driver::reset);

        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldRefuseWhenTheOwnerResetsNoFunctions() throws Exception {
        Fixture plain = new Fixture(new FakeAdminQueue());
        assertErrno(Errno.EOPNOTSUPP, plain.driver::reset);
        assertThat(plain.driver.state()).isEqualTo(DeviceState.RUNNING);

        SavingSession session = (SavingSession) plain.walk(RUNNING_TO_PRE_COPY).orElseThrow();
        assertErrno(Errno.EOPNOTSUPP, plain.driver::reset);

        assertThat(plain.driver.state()).isEqualTo(DeviceState.ERROR);
        assertThat(plain.queue.objects).isEmpty();
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
    }
}
