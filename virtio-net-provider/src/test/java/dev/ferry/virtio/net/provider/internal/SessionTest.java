// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.fsm.Arc.PRE_COPY_P2P_TO_STOP_COPY;
import static dev.ferry.fsm.Arc.PRE_COPY_TO_PRE_COPY_P2P;
import static dev.ferry.fsm.Arc.PRE_COPY_TO_RUNNING;
import static dev.ferry.fsm.Arc.RESUMING_TO_STOP;
import static dev.ferry.fsm.Arc.RUNNING_P2P_TO_STOP;
import static dev.ferry.fsm.Arc.RUNNING_TO_PRE_COPY;
import static dev.ferry.fsm.Arc.RUNNING_TO_RUNNING_P2P;
import static dev.ferry.fsm.Arc.STOP_COPY_TO_STOP;
import static dev.ferry.fsm.Arc.STOP_TO_RESUMING;
import static dev.ferry.fsm.Arc.STOP_TO_STOP_COPY;
import static dev.ferry.virtio.net.provider.internal.Fixture.assertErrno;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import dev.ferry.virtio.driver.PrecopyRateLimit;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SessionTest {

    private static final int IMAGE_BYTES = 17;

    private final FakeAdminQueue queue = new FakeAdminQueue();
    private Fixture fixture;

    @BeforeEach
    void setUp() throws DeviceException {
        fixture = new Fixture(queue);
    }

    private SavingSession preCopy() throws DeviceException {
        SavingSession session = (SavingSession) fixture.walk(RUNNING_TO_PRE_COPY).orElseThrow();
        queue.commands.clear();
        return session;
    }

    private ResumingSession resuming() throws DeviceException {
        return (ResumingSession)
                fixture.walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING).orElseThrow();
    }

    private static PrecopyInfo info(long initial, long dirty) {
        return new PrecopyInfo(initial, dirty, false);
    }

    private static int read(SavingSession session, int bytes) throws Exception {
        return session.read(ByteBuffer.allocate(bytes));
    }

    @Test
    void shouldCountInitialBytesDownWhileTheyAreRead() throws Exception {
        SavingSession session = preCopy();

        assertThat(session.precopyInfo()).isEqualTo(info(IMAGE_BYTES, 0));
        assertThat(read(session, 10)).isEqualTo(10);
        assertThat(session.precopyInfo()).isEqualTo(info(7, 0));
        assertThat(read(session, 10)).isEqualTo(7);
        assertThat(read(session, 10)).isZero();
        // The one token of this second went with the first question, so there is no new image yet.
        assertThat(session.precopyInfo()).isEqualTo(info(0, 0));
        assertThat(queue.count(FakeAdminQueue.METADATA_GET)).isEqualTo(1);
        assertThat(queue.count(FakeAdminQueue.PARTS_GET)).isZero();
    }

    @Test
    void shouldQueueANewImageWhenDrainedAndASecondHasPassed() throws Exception {
        SavingSession session = preCopy();
        session.precopyInfo();
        read(session, 100);
        fixture.clock.now += PrecopyRateLimit.WINDOW_NANOS;
        assertThat(session.precopyInfo()).isEqualTo(info(0, 0));

        fixture.clock.now += 1;
        queue.commands.clear();
        assertThat(session.precopyInfo()).isEqualTo(info(0, IMAGE_BYTES));

        assertThat(queue.commands).containsExactly(Fixture.metadataSize(0), Fixture.getAll(0));
        assertThat(read(session, 100)).isEqualTo(IMAGE_BYTES);
        assertThat(session.precopyInfo()).isEqualTo(info(0, 0));
    }

    @Test
    void shouldPromiseMoreThanIsQueuedWhenASecondPassesBeforeItIsDrained() throws Exception {
        SavingSession session = preCopy();
        read(session, 100);
        assertThat(session.precopyInfo()).isEqualTo(info(0, IMAGE_BYTES));
        read(session, 10);
        fixture.clock.now += PrecopyRateLimit.WINDOW_NANOS + 1;

        assertThat(session.precopyInfo()).isEqualTo(info(0, 7 + IMAGE_BYTES));
        assertThat(queue.count(FakeAdminQueue.PARTS_GET)).isEqualTo(1);

        // The size that was asked for then is not used for a later image.
        assertThat(read(session, 100)).isEqualTo(7);
        queue.commands.clear();
        fixture.walk(PRE_COPY_TO_PRE_COPY_P2P, PRE_COPY_P2P_TO_STOP_COPY);
        assertThat(queue.commands).contains(Fixture.metadataSize(0));
    }

    @Test
    void shouldStayInPreCopyWhenANewImageFails() throws Exception {
        SavingSession session = preCopy();
        read(session, 100);
        queue.refuse(FakeAdminQueue.PARTS_GET, 12, 6);
        assertErrno(Errno.ENOMEM, session::precopyInfo);
        queue.scripts.clear();

        fixture.clock.now += PrecopyRateLimit.WINDOW_NANOS + 1;
        assertThat(session.precopyInfo()).isEqualTo(info(0, IMAGE_BYTES));
    }

    @Test
    void shouldAnswerPrecopyInfoInPreCopyStatesOnly() throws Exception {
        SavingSession session = preCopy();
        fixture.walk(PRE_COPY_TO_PRE_COPY_P2P);
        assertThat(session.precopyInfo().initialBytes()).isEqualTo(IMAGE_BYTES);
        fixture.walk(PRE_COPY_P2P_TO_STOP_COPY);
        assertErrno(Errno.EINVAL, session::precopyInfo);
        fixture.walk(STOP_COPY_TO_STOP);
        assertErrno(Errno.ENODEV, session::precopyInfo);
    }

    @Test
    void shouldQueueTheFinalImageBehindWhatIsUnreadAndThenEnd() throws Exception {
        SavingSession session = preCopy();
        read(session, 10);
        queue.image = FakeAdminQueue.hex("aabbccdd");
        fixture.walk(PRE_COPY_TO_PRE_COPY_P2P, PRE_COPY_P2P_TO_STOP_COPY);
        ByteBuffer into = ByteBuffer.allocate(100);

        assertThat(session.read(into)).isEqualTo(11);

        assertThat(into.flip().slice(7, 4)).isEqualTo(ByteBuffer.wrap(queue.image));
        assertThat(read(session, 0)).isZero();
        assertThat(read(session, 10)).isEqualTo(-1);
        assertThat(read(session, 10)).isEqualTo(-1);
        fixture.walk(STOP_COPY_TO_STOP);
        assertErrno(Errno.ENODEV, () -> read(session, 10));
    }

    @Test
    void shouldChangeNothingAtTheDeviceWhenASessionIsClosed() throws Exception {
        SavingSession session = preCopy();
        session.close();

        assertThat(session.isOpen()).isFalse();
        assertThat(queue.commands).isEmpty();
        assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(() -> read(session, 10));
        fixture.walk(PRE_COPY_TO_RUNNING);
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldStayInResumingWhenNothingWasLoaded() throws Exception {
        ResumingSession session = resuming();

        assertErrno(Errno.EINVAL, () -> fixture.driver.step(RESUMING_TO_STOP));
        assertThat(fixture.driver.state()).isEqualTo(DeviceState.RESUMING);

        session.write(ByteBuffer.wrap(queue.image));
        fixture.driver.step(RESUMING_TO_STOP);
        assertThat(fixture.driver.state()).isEqualTo(DeviceState.STOP);
    }

    @Test
    void shouldStayInResumingWhenTheStateWasRefused() throws Exception {
        ResumingSession session = resuming();
        session.write(ByteBuffer.wrap(queue.image));
        queue.refuse(FakeAdminQueue.PARTS_SET, 22, 3);
        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.wrap(queue.image)));
        queue.scripts.clear();

        assertErrno(Errno.ENODEV, () -> session.write(ByteBuffer.wrap(queue.image)));
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> fixture.driver.step(RESUMING_TO_STOP))
                .withMessageContaining("reset the device")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(fixture.driver.state()).isEqualTo(DeviceState.RESUMING);
    }

    @Test
    void shouldSaveAgainAfterASession() throws Exception {
        resuming().write(ByteBuffer.wrap(queue.image));
        fixture.walk(RESUMING_TO_STOP);
        SavingSession session = (SavingSession) fixture.walk(STOP_TO_STOP_COPY).orElseThrow();

        assertThat(read(session, 100)).isEqualTo(IMAGE_BYTES);
        assertThat(read(session, 100)).isEqualTo(-1);
    }
}
