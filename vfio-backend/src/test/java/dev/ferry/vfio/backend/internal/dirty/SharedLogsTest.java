// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several devices of one VM record in one container, or in one page table. */
class SharedLogsTest {
    private static final long PAGE = 4096;
    private static final IovaRange RANGE = new IovaRange(0, 128 * PAGE);

    @TempDir
    private Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final DirtyTracking tracking = new DirtyTracking();
    private FakeHost host;
    private OpenDevice device;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.iommuTracksDirtyPages = true;
    }

    @AfterEach
    void shouldLeaveNothing() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
        assertThat(host.trackingIsOn()).isFalse();
        assertThat(host.kernel.openFiles()).isZero();
    }

    private DirtyTracker ofGroup(String name) throws Exception {
        host.pci(name, "mlx5_vfio_pci", "12").logRanges = -1;
        device = new DeviceOpener(host.kernel, host.root).open(host.found(name), name, DeviceOpener.Way.GROUP);
        opened.add(device);
        return tracker(device.space(), Way.CONTAINER);
    }

    private DirtyTracker tracker(Optional<IommuSpace> space, Way way) {
        DirtyTracker tracker = tracking.choose(device.device(), space, 4096, List.of(way)).tracker().orElseThrow();
        host.tracking.clear();
        return tracker;
    }

    /** Two devices that share one open container, as devices of one group do. */
    private List<DirtyTracker> inOneContainer() throws Exception {
        host.pci("0000:3b:00.2", "mlx5_vfio_pci", "12").logRanges = -1;
        host.pci("0000:3b:00.3", "mlx5_vfio_pci", "12").logRanges = -1;
        DeviceOpener opener = new DeviceOpener(host.kernel, host.root);
        List<DirtyTracker> trackers = new ArrayList<>();
        for (String name : List.of("0000:3b:00.2", "0000:3b:00.3")) {
            device = opener.open(host.found(name), name, DeviceOpener.Way.GROUP);
            opened.add(device);
            trackers.add(tracker(device.space(), Way.CONTAINER));
        }
        return trackers;
    }

    /** A page table of an open iommufd which came by two numbers, as handed over with each device. */
    private DirtyTracker ofPageTable(int fd, int table) {
        Descriptor iommufd = new Descriptor(host.kernel, fd);
        opened.add(iommufd);
        return tracker(
                Optional.of(IommufdSpace.ofPageTable(host.kernel, iommufd, "dev0", table)), Way.IOMMUFD);
    }

    private static long[] report(DirtyTracker tracker, IovaRange range) throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocate((int) ((range.length() / PAGE + 63) / 64 * 8))
                .order(ByteOrder.LITTLE_ENDIAN);
        tracker.reportAndClear(range, bitmap);
        long[] words = new long[bitmap.capacity() / 8];
        bitmap.asLongBuffer().get(words);
        return words;
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
    void shouldKnowAnOpenFileThatCameByAnotherNumber() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        int fd = host.kernel.install(host.iommufdOfVmm());
        DirtyTracker first = ofPageTable(fd, 7);
        DirtyTracker second = ofPageTable(host.kernel.dup(fd), 7);
        first.start(PAGE, List.of(RANGE));
        second.start(PAGE, List.of(RANGE));
        first.stop();
        assertThat(host.tracking).containsExactly("start");
        second.stop();
        assertThat(host.tracking).containsExactly("start", "stop");
    }

    @Test
    void shouldKeepSpacesApartThatAreNotOne() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        DirtyTracker first = ofPageTable(host.kernel.install(host.iommufdOfVmm()), 7);
        DirtyTracker second = ofPageTable(host.kernel.install(host.iommufdOfVmm()), 7);
        first.start(PAGE, List.of(RANGE));
        second.start(PAGE, List.of(RANGE));
        first.stop();
        assertThat(host.tracking).containsExactly("start", "start", "stop");
        second.stop();
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
