// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import static dev.ferry.virtio.context.provider.internal.FakeContextQueue.OK;
import static dev.ferry.virtio.context.provider.internal.FakeContextQueue.command;
import static dev.ferry.virtio.driver.fake.FakeAdminQueue.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.command.SystemClock;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Write records as commands, from byte layouts. */
class WriteRecordTrackerTest {

    private static final long LIMIT_SECONDS = 20;

    private final FakeContextQueue queue = new FakeContextQueue();
    private ContextDriver driver;
    private DirtyTracker tracker;

    @BeforeEach
    void setUp() throws Exception {
        CommandTimeout timeout = new CommandTimeout("test");
        timeout.configure(() -> CommandTimeout.LEAST_MILLIS);
        AdminChannel channel = new AdminChannel("host1/pf0", queue, timeout, new SystemClock());
        ContextOwner owner =
                new ContextSetup("host1/pf0", queue, channel, new VendorOpcodes("test"), () -> false).run();
        driver = new ContextDriver("host1/pf0/vf3", owner, 3, new PlainFormat(), timeout, System::nanoTime);
        tracker = driver.dirtyTracker().orElseThrow();
        queue.commands.clear();
    }

    @Test
    void shouldTrackByWriteRecords() throws Exception {
        assertThat(tracker.capabilities().pageSizes()).isEqualTo(4096);
        assertThat(tracker.capabilities().maxRanges()).isEqualTo(8);
        assertThat(tracker.capabilities().exact()).isTrue();
        IovaRange range = new IovaRange(0x10000, 0x10000);
        tracker.start(4096, List.of(range));
        // Two records and MORE, then one.
        queue.answer(0x0111, "0000 0000 02000040 0000010000000000 0010000000000000 0080010000000000 0020000000000000");
        queue.answer(0x0111, "0000 0000 01000000 00f0010000000000 0010000000000000");
        ByteBuffer bitmap = ByteBuffer.allocate(8).put(1, (byte) 0);

        tracker.reportAndClear(range, bitmap);
        tracker.stop();

        assertThat(bitmap.array()).isEqualTo(hex("0183 000000000000"));
        assertThat(queue.commands)
                .containsExactly(
                        command(0x010f, "0010000000000000 01000000 00000000 0000000000000000"
                                + "0000010000000000 0000010000000000"),
                        command(0x0111, "0000010000000000 0000010000000000 00000000 00000000"),
                        command(0x0111, "0000010000000000 0000010000000000 00000000 00000000"),
                        command(0x0110, ""));
    }

    @Test
    void shouldSayThatTheRecordWasLost() throws Exception {
        IovaRange range = new IovaRange(0, 0x10000);
        tracker.start(4096, List.of(range));
        queue.answer(0x0111, "0000 0000 00000080");

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.reportAndClear(range, ByteBuffer.allocate(8)))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOVERFLOW));
    }

    @Test
    void shouldNotTrustRecordsOutsideTheRange() throws Exception {
        IovaRange range = new IovaRange(0x10000, 0x10000);
        tracker.start(4096, List.of(range));
        queue.answer(0x0111, "0000 0000 01000000 0000020000000000 0010000000000000");
        queue.answer(0x0111, "0000 0000 05000000 0000010000000000 0010000000000000");

        for (int answer = 0; answer < 2; answer++) {
            assertThatExceptionOfType(DeviceException.class)
                    .isThrownBy(() -> tracker.reportAndClear(range, ByteBuffer.allocate(8)))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
        }
    }

    @Test
    void shouldStopADeviceThatChoosesAnotherPageSize() throws Exception {
        queue.answer(0x010f, OK + "0020000000000000");

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(4096, List.of(new IovaRange(0, 4096))))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(queue.commands).last().isEqualTo(command(0x0110, ""));
    }

    @Test
    void shouldStopADeviceThatMayRecordAlthoughItDidNotAnswer() {
        queue.hangs = 0x010f;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(4096, List.of(new IovaRange(0, 4096))))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        assertThat(queue.commands).last().isEqualTo(command(0x0110, ""));
    }

    @Test
    void shouldLeaveTheRecordingInProgressAloneWhenItIsStartedTwice() throws Exception {
        List<IovaRange> ranges = List.of(new IovaRange(0, 4096));
        tracker.start(4096, ranges);

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(4096, ranges))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        assertThat(queue.commands).hasSize(1);
    }

    @Test
    void shouldEndWhatTheDeviceStillRecordsAfterAStopThatFailed() throws Exception {
        List<IovaRange> ranges = List.of(new IovaRange(0, 4096));
        tracker.start(4096, ranges);
        queue.answer(0x0110, "0500 0100 00000000");
        assertThatExceptionOfType(DeviceException.class).isThrownBy(tracker::stop);
        String start = queue.commands.get(0);
        queue.commands.clear();
        queue.answer(0x010f, "1000 0100 00000000");

        tracker.start(4096, ranges);

        assertThat(queue.commands).containsExactly(start, command(0x0110, ""), start);
    }

    @Test
    void shouldLeaveADeviceAloneThatRefusedToRecord() {
        queue.answer(0x010f, "1c00 0100 00000000");

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(4096, List.of(new IovaRange(0, 4096))))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
        assertThat(queue.commands).noneMatch(sent -> sent.equals(command(0x0110, "")));
    }

    @Test
    void shouldEndARecordingThatNobodyEndedWhenTheDriverLeaves() throws Exception {
        List<IovaRange> ranges = List.of(new IovaRange(0, 4096));
        tracker.start(4096, ranges);

        driver.depart();

        assertThat(queue.commands).last().isEqualTo(command(0x0110, ""));
        queue.commands.clear();
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(4096, ranges))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        assertThat(queue.commands).isEmpty();
    }

    @Test
    void shouldSendNothingWhenTheDriverLeavesAndNothingIsRecorded() throws Exception {
        tracker.start(4096, List.of(new IovaRange(0, 4096)));
        tracker.stop();
        queue.commands.clear();

        driver.depart();

        assertThat(queue.commands).isEmpty();
    }

    @Test
    void shouldNotWaitForEverForAReportThatIsUnderWayWhenTheDriverLeaves() throws Exception {
        IovaRange range = new IovaRange(0, 4096);
        tracker.start(4096, List.of(range));
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        queue.onReport = () -> {
            reading.countDown();
            await(left);
        };
        FutureTask<Void> report = new FutureTask<>(() -> {
            tracker.reportAndClear(range, ByteBuffer.allocate(8));
            return null;
        });
        new Thread(report).start();
        await(reading);

        assertTimeoutPreemptively(Duration.ofSeconds(LIMIT_SECONDS), driver::depart);

        left.countDown();
        report.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.reportAndClear(range, ByteBuffer.allocate(8)))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(2 * LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldTryAgainToEndARecordingWhenTheDriverLeavesAfterAStopThatFailed() throws Exception {
        tracker.start(4096, List.of(new IovaRange(0, 4096)));
        queue.answer(0x0110, "0500 0100 00000000");
        assertThatExceptionOfType(DeviceException.class).isThrownBy(tracker::stop);
        queue.commands.clear();

        driver.depart();

        assertThat(queue.commands).containsExactly(command(0x0110, ""));
    }
}
