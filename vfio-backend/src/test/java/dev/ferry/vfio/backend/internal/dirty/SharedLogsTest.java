// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several devices of one VM record in one container. */
class SharedLogsTest extends SharedLogsFixture {
    /** Two devices of one container. */
    private List<DirtyTracker> inOneContainer() throws Exception {
        host.pci("0000:3b:00.2", "mlx5_vfio_pci", "12").logRanges = -1;
        host.pci("0000:3b:00.3", "mlx5_vfio_pci", "12").logRanges = -1;
        List<DirtyTracker> trackers = new ArrayList<>();
        for (String name : List.of("0000:3b:00.2", "0000:3b:00.3")) {
            device = Vmm.lend(host, name, Way.CONTAINER);
            opened.add(device);
            trackers.add(tracker(device.space(), Way.CONTAINER));
        }
        return trackers;
    }

    /** Answers as a kernel whose requests a test steers. */
    private static final class SteeredLog implements DirtyLog {
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch letGo = new CountDownLatch(1);
        private boolean reportFails;
        private boolean reportWaits;

        @Override
        public void begin(long pageSize, List<IovaRange> ranges) {
            // It begins.
        }

        @Override
        public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
            if (reportFails) {
                throw new DeviceException(Errno.EIO, "told to fail");
            }
            entered.countDown();
            try {
                assertThat(!reportWaits || letGo.await(60, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void end() {
            // It ends.
        }
    }

    private static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private static void assertLost(DirtyTracker tracker) {
        assertErrno(Errno.EOVERFLOW, () -> report(tracker, RANGE));
    }

    @Test
    void shouldBeginWithTheFirstAndEndWithTheLast() throws Exception {
        List<DirtyTracker> trackers = inOneContainer();
        DirtyTracker first = trackers.get(0);
        DirtyTracker second = trackers.get(1);

        first.start(PAGE, List.of(RANGE));
        second.start(PAGE, List.of(RANGE));
        first.stop();
        assertThat(host.tracking).containsExactly("start");
        host.dirty.add(5L);
        assertThat(report(second, RANGE)).containsExactly(1 << 5, 0);
        first.start(PAGE, List.of(RANGE));
        second.stop();
        report(first, RANGE);
        first.stop();

        assertThat(host.tracking).containsExactly("start", "stop");
    }

    @Test
    void shouldTellTheOthersOfAFailedReportBeforeItIsBegunAnew() throws Exception {
        ofGroup("0000:3b:00.2");
        SharedLogs shared = new SharedLogs();
        SteeredLog kernel = new SteeredLog();
        DirtyLog first = shared.share(device.space().orElseThrow(), kernel);
        DirtyLog second = shared.share(device.space().orElseThrow(), kernel);
        first.begin(PAGE, List.of(RANGE));
        second.begin(PAGE, List.of(RANGE));
        MemorySegment bitmap = MemorySegment.ofArray(new long[2]);
        kernel.reportFails = true;
        assertErrno(Errno.EIO, () -> first.report(RANGE, PAGE, bitmap));
        kernel.reportFails = false;

        assertErrno(Errno.EOVERFLOW, () -> second.report(RANGE, PAGE, bitmap));
    }

    @Test
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldNotLetOnePlaceWaitForAnother() throws Exception {
        ofGroup("0000:3b:00.2");
        SharedLogs shared = new SharedLogs();
        SteeredLog stuck = new SteeredLog();
        stuck.reportWaits = true;
        DirtyLog first = shared.share(device.space().orElseThrow(), stuck);
        first.begin(PAGE, List.of(RANGE));
        Thread reporting = new Thread(() -> {
            try {
                first.report(RANGE, PAGE, MemorySegment.ofArray(new long[2]));
            } catch (DeviceException e) {
                throw new AssertionError(e);
            }
        });
        reporting.start();
        assertThat(stuck.entered.await(60, TimeUnit.SECONDS)).isTrue();
        Thread ending = new Thread(() -> assertThatCode(first::end).doesNotThrowAnyException());
        ending.start();
        while (ending.getState() != Thread.State.BLOCKED) {
            Thread.yield();
        }

        DirtyLog second = shared.share(
                IommufdSpace.ofPageTable(host.kernel, new Descriptor(host.kernel, 5), "dev1", 7), new SteeredLog());
        second.begin(PAGE, List.of(RANGE));
        second.end();

        assertThat(reporting.isAlive()).isTrue();
        stuck.letGo.countDown();
        reporting.join(60_000);
        ending.join(60_000);
    }

    @Test
    void shouldTellEachWhatWasReportedToTheOther() throws Exception {
        List<DirtyTracker> trackers = inOneContainer();
        for (DirtyTracker tracker : trackers) {
            tracker.start(PAGE, List.of(RANGE));
        }
        host.dirty.addAll(List.of(3L, 70L));

        assertThat(report(trackers.get(0), RANGE)).containsExactly(1 << 3, 1 << 6);
        host.dirty.add(4L);
        assertThat(report(trackers.get(1), new IovaRange(0, 64 * PAGE))).containsExactly(0b11000);
        assertThat(report(trackers.get(0), RANGE)).containsExactly(1 << 4, 0);
        assertThat(report(trackers.get(1), RANGE)).containsExactly(0, 1 << 6);
        assertThat(report(trackers.get(1), RANGE)).containsExactly(0, 0);
        for (DirtyTracker tracker : trackers) {
            tracker.stop();
        }
    }

    @Test
    void shouldTellEachOnceThatTheRecordWasLost() throws Exception {
        List<DirtyTracker> trackers = inOneContainer();
        for (DirtyTracker tracker : trackers) {
            tracker.start(PAGE, List.of(RANGE));
        }
        host.kernel.refuse(Request.DIRTY_PAGES_GET_BITMAP, 5);
        assertLost(trackers.get(0));
        host.kernel.refuse(Request.DIRTY_PAGES_GET_BITMAP, 0);
        host.dirty.add(1L);

        assertThat(report(trackers.get(0), RANGE)).containsExactly(0b10, 0);
        assertLost(trackers.get(1));
        host.dirty.add(2L);
        assertThat(report(trackers.get(1), RANGE)).containsExactly(0b100, 0);
        assertThat(report(trackers.get(0), RANGE)).containsExactly(0b100, 0);
        assertThat(host.tracking).containsExactly("start", "stop", "start");
        for (DirtyTracker tracker : trackers) {
            tracker.stop();
        }
    }

    @Test
    void shouldBeginAnewForTheOtherWhatOneCouldNotBeginAnew() throws Exception {
        List<DirtyTracker> trackers = inOneContainer();
        for (DirtyTracker tracker : trackers) {
            tracker.start(PAGE, List.of(RANGE));
        }
        host.kernel.refuse(Request.DIRTY_PAGES_GET_BITMAP, 5);
        host.kernel.refuse(Request.DIRTY_PAGES_START, 12);
        assertErrno(Errno.EIO, () -> report(trackers.get(0), RANGE));
        host.kernel.refuse(Request.DIRTY_PAGES_GET_BITMAP, 0);
        host.kernel.refuse(Request.DIRTY_PAGES_START, 0);

        assertLost(trackers.get(1));
        assertThat(report(trackers.get(1), RANGE)).containsExactly(0, 0);
        trackers.get(1).stop();
        trackers.get(0).stop();
    }

    @Test
    void shouldNotSayThatRecordingGoesOnWhenNeitherCouldBeginAnew() throws Exception {
        List<DirtyTracker> trackers = inOneContainer();
        for (DirtyTracker tracker : trackers) {
            tracker.start(PAGE, List.of(RANGE));
        }
        host.kernel.refuse(Request.DIRTY_PAGES_GET_BITMAP, 5);
        host.kernel.refuse(Request.DIRTY_PAGES_START, 12);
        assertErrno(Errno.EIO, () -> report(trackers.get(0), RANGE));
        host.kernel.refuse(Request.DIRTY_PAGES_GET_BITMAP, 0);
        assertErrno(Errno.EIO, () -> report(trackers.get(1), RANGE));
        host.kernel.refuse(Request.DIRTY_PAGES_START, 0);
        assertErrno(Errno.EINVAL, () -> report(trackers.get(0), RANGE));
        trackers.get(1).start(PAGE, List.of(RANGE));
        host.dirty.add(2L);
        assertThat(report(trackers.get(1), RANGE)).containsExactly(0b100, 0);
        trackers.get(0).stop();
        assertThat(report(trackers.get(1), RANGE)).containsExactly(0, 0);
        trackers.get(1).stop();
    }

    @Test
    void shouldEndAgainWhatCouldNotBeEndedUnlessAnotherRecords() throws Exception {
        List<DirtyTracker> trackers = inOneContainer();
        DirtyTracker first = trackers.get(0);
        first.start(PAGE, List.of(RANGE));
        host.kernel.refuse(Request.DIRTY_PAGES_STOP, 5);
        assertErrno(Errno.EIO, first::stop);
        trackers.get(1).start(PAGE, List.of(RANGE));
        first.stop();
        report(trackers.get(1), RANGE);
        assertErrno(Errno.EIO, trackers.get(1)::stop);
        host.kernel.refuse(Request.DIRTY_PAGES_STOP, 0);
        trackers.get(1).stop();
    }
}
