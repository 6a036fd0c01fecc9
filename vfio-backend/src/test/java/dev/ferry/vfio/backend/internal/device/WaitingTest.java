// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.fsm.Arc.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.vfio.backend.internal.fake.FakeKernel.Poll;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a session lets itself be kept waiting, by the time limits of its polls: the driver's is 50 ms. */
class WaitingTest extends DriverFixture {
    private static final int EAGAIN = 11;
    private static final int LIMIT_MILLIS = 50;
    private static final Poll PAUSE = new Poll(0, 1);

    @BeforeEach
    void forget() {
        kernel.polls.clear();
        waitMillis = LIMIT_MILLIS;
    }

    private void assertPollsWithinTheLimit() {
        assertThat(kernel.polls).isNotEmpty().allSatisfy(poll ->
                assertThat(poll.timeoutMillis()).isBetween(0, LIMIT_MILLIS));
        assertThat(kernel.polls.get(0)).isEqualTo(new Poll(1, LIMIT_MILLIS));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldNotWaitInPreCopy(boolean silent) throws Exception {
        SavingSession session = preCopy();
        fake.silent = silent;

        session.read(ByteBuffer.allocate(100));
        session.read(ByteBuffer.allocateDirect(8192));

        assertThat(kernel.polls).containsOnly(new Poll(1, 0));
    }

    @Test
    void shouldNotPauseInPreCopyWhenThereIsNothingAfterAll() throws Exception {
        SavingSession session = preCopy();
        kernel.refuse(Request.DATA_READ, EAGAIN);

        assertThat(session.read(ByteBuffer.allocate(100))).isZero();

        assertThat(kernel.polls).containsExactly(new Poll(1, 0));
    }

    @Test
    void shouldWaitForAStoppedDeviceUpToTheLimit() throws Exception {
        SavingSession session = stopCopy();
        fake.silent = true;

        assertErrno(Errno.ETIMEDOUT, () -> session.read(ByteBuffer.allocate(100)));

        assertPollsWithinTheLimit();
    }

    @Test
    void shouldWaitUpToTheLimitBehindThePassageToStopCopy() throws Exception {
        SavingSession session = preCopy();
        walk(PRE_COPY_TO_PRE_COPY_P2P, PRE_COPY_P2P_TO_STOP_COPY);

        session.read(ByteBuffer.allocate(100));

        assertPollsWithinTheLimit();
    }

    /** A profiler sends many; what waits is told by the clock, not by their number. */
    @Test
    void shouldGoOnHoweverManySignalsInterrupt() throws Exception {
        waitMillis = 60_000;
        SavingSession session = stopCopy();
        kernel.interruptNext(1_000);

        assertThat(session.read(ByteBuffer.allocate(100))).isEqualTo(32);
    }

    @Test
    void shouldWaitForARoomToWriteUpToTheLimit() throws Exception {
        ResumingSession session = resuming();
        fake.silent = true;

        assertErrno(Errno.ETIMEDOUT, () -> session.write(
                ByteBuffer.allocate(17).putLong(0xFFFFFFFF_EF100004L).putLong(1).rewind()));

        assertPollsWithinTheLimit();
    }

    @Test
    void shouldNotWaitForADeviceThatTakesNothing() throws Exception {
        ResumingSession session = resuming();
        fake.shortRead = 0;

        assertThat(assertErrno(Errno.EIO, () -> session.write(
                        ByteBuffer.allocate(17).putLong(0xFFFFFFFF_EF100004L).putLong(1).rewind())))
                .hasMessage("dev0 takes no more of what it is given; reset it");
    }

    /** Each in time, and all of them together not. */
    @Test
    void shouldGiveUpADeviceThatTakesWhatItIsGivenInManySmallParts() throws Exception {
        ResumingSession session = resuming();
        fake.shortRead = 1;
        List<Integer> taken = new ArrayList<>();
        fake.onWrite = () -> {
            taken.add(1);
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS / 2 + 1);
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
        };

        byte[] state = state();
        assertThat(assertErrno(Errno.ETIMEDOUT, () -> session.write(ByteBuffer.wrap(state))))
                .hasMessage("dev0 did not take what it was given within 50 ms");

        assertThat(taken).hasSizeBetween(1, 2);
        assertErrno(Errno.EIO, () -> session.write(ByteBuffer.allocate(1)));
    }

    /** A record of data, and the first eight of them, which the fake device takes. */
    private static byte[] state() {
        return ByteBuffer.allocate(24).putLong(0xFFFFFFFF_EF100004L).putLong(1 << 10)
                .put("DEVSTATE".getBytes(StandardCharsets.US_ASCII)).array();
    }

    @Test
    void shouldPauseBeforeItAsksAgainADeviceThatSaysItIsReadyAndIsNot() throws Exception {
        SavingSession session = stopCopy();
        kernel.refuse(Request.DATA_READ, EAGAIN);

        assertErrno(Errno.ETIMEDOUT, () -> session.read(ByteBuffer.allocate(100)));

        assertPollsWithinTheLimit();
        for (int i = 1; i < kernel.polls.size(); i += 2) {
            assertThat(kernel.polls.get(i)).isEqualTo(PAUSE);
        }
    }
}
