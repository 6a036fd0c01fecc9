// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DirtyTrackingTest {
    private static final String ADDRESS = "0000:3b:00.2";
    private static final long PAGE = 4096;

    @TempDir
    private Path folder;

    private FakeHost host;
    private FakeDevice fake;
    private OpenDevice open;
    private final DirtyTracking tracking = new DirtyTracking();

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        fake = host.pci(ADDRESS, "mlx5_vfio_pci", "12");
    }

    @AfterEach
    void shouldLeaveNoDescriptor() {
        if (open != null) {
            open.close();
        }
        assertThat(host.kernel.openFiles()).isZero();
    }

    /** For a device that is lent with what a way needs. */
    private DirtyTracking.Choice choose(Way lent, Way... allowed) throws Exception {
        open = Vmm.lend(host, ADDRESS, lent);
        return tracking.choose(open.device(), open.space(), 4096, List.of(allowed));
    }

    /** For a device that is opened here. */
    private DirtyTracking.Choice chooseOpened(DeviceOpener.Way way, Way... allowed) throws Exception {
        open = new DeviceOpener(host.kernel, host.root).open(host.found(ADDRESS), "dev0", way);
        return tracking.choose(open.device(), open.space(), 4096, List.of(allowed));
    }

    private DirtyTracker tracker(Way lent) throws Exception {
        return choose(lent, Way.values()).tracker().orElseThrow();
    }

    private static long[] report(DirtyTracker tracker, IovaRange range) throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocate((int) ((range.length() / PAGE + 63) / 64 * 8))
                .order(ByteOrder.LITTLE_ENDIAN);
        tracker.reportAndClear(range, bitmap);
        long[] words = new long[bitmap.capacity() / 8];
        bitmap.asLongBuffer().get(words);
        return words;
    }

    private static DeviceException assertErrno(Errno errno, ThrowingCallable call) {
        return assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .actual();
    }

    @Test
    void shouldTakeTheDevicesOwnLogFirst() throws Exception {
        DirtyTracking.Choice choice = chooseOpened(DeviceOpener.Way.GROUP, Way.values());

        assertThat(choice.reason()).isEqualTo("device DMA logging");
        assertThat(choice.tracker().orElseThrow().capabilities().exact()).isTrue();
        assertThat(fake.logging).as("left off behind the trial").isFalse();
    }

    @Test
    void shouldSayWhyItTookTheContainer() throws Exception {
        fake.logRanges = -1;

        assertThat(choose(Way.CONTAINER, Way.values()).reason()).isEqualTo("container dirty pages "
                + "(device DMA logging: the device offers none; iommufd: the device has no iommufd but a container)");
    }

    @Test
    void shouldNotTakeALogThatCannotReport() throws Exception {
        host.kernel.refuse(Request.LOGGING_REPORT, 95);

        assertThat(chooseOpened(DeviceOpener.Way.GROUP, Way.values()).reason()).startsWith("container dirty pages "
                + "(device DMA logging: it is offered, but dev0: "
                + "VFIO_DEVICE_FEATURE GET DMA_LOGGING_REPORT failed (EOPNOTSUPP);");
        assertThat(fake.logging).isFalse();
    }

    /** ENOTTY and EINVAL say that there is none; any other error says nothing, and may be gone the next time. */
    @ParameterizedTest
    @CsvSource({"0, SET DMA_LOGGING_START", "1, SET DMA_LOGGING_STOP", "2, GET DMA_LOGGING_REPORT"})
    void shouldNotTakeAnErrorForNoLog(int probe, String name) throws Exception {
        for (int errno : List.of(5, 12, 19)) {
            host.kernel.fail(probe, errno, 0);
            KernelException e = assertThatExceptionOfType(KernelException.class)
                    .isThrownBy(() -> choose(Way.CONTAINER, Way.values()))
                    .actual();
            assertThat(e.call()).isEqualTo("VFIO_DEVICE_FEATURE PROBE " + name);
            assertThat(e.number()).isEqualTo(errno);
            open.close();
        }
        for (int errno : List.of(22, 25)) {
            host.kernel.fail(probe, errno, 0);
            assertThat(choose(Way.CONTAINER, Way.values()).reason())
                    .contains("device DMA logging: the device offers none");
            open.close();
        }
    }

    @Test
    void shouldTakeIommufdWhereAPageTableWasLent() throws Exception {
        fake.logRanges = -1;

        assertThat(choose(Way.IOMMUFD, Way.values()).reason())
                .isEqualTo("iommufd (device DMA logging: the device offers none)");
    }

    @Test
    void shouldTrackADeviceThatIsOpenedHereInTheBestWayThereIs() throws Exception {
        host.cdev(ADDRESS, "pci", "vfio0");
        assertThat(chooseOpened(DeviceOpener.Way.CDEV, Way.values()).reason()).isEqualTo("device DMA logging");
        open.close();
        fake.logRanges = -1;
        assertThat(chooseOpened(DeviceOpener.Way.GROUP, Way.values()).reason()).isEqualTo("container dirty pages "
                + "(device DMA logging: the device offers none; iommufd: the device has no iommufd but a container)");
        open.close();

        DirtyTracking.Choice none = chooseOpened(DeviceOpener.Way.CDEV, Way.values());

        assertThat(none.tracker()).isEmpty();
        assertThat(none.reason()).isEqualTo("no dirty tracking (device DMA logging: the device offers none; "
                + "iommufd: the IOMMU does not mark written pages (IOMMU_HWPT_ALLOC: EOPNOTSUPP); "
                + "container dirty pages: the device has no container but an iommufd)");
        open.close();
        host.iommuMarksPages = true;
        assertThat(chooseOpened(DeviceOpener.Way.CDEV, Way.values()).reason())
                .isEqualTo("iommufd (device DMA logging: the device offers none)");
        assertThat(host.tracking).isEmpty();
    }

    @Test
    void shouldSayWhatWasNotLent() throws Exception {
        fake.logRanges = -1;

        assertThat(choose(Way.DEVICE, Way.values()).reason()).isEqualTo("no dirty tracking (device DMA logging: "
                + "the device offers none; iommufd: no iommufd was lent with the device; "
                + "container dirty pages: no container was lent with the device)");
    }

    @Test
    void shouldTakeTheFirstThatWorksInTheOrderThatIsConfigured() throws Exception {
        assertThat(choose(Way.CONTAINER, Way.CONTAINER, Way.DEVICE).reason()).isEqualTo("container dirty pages "
                + "(device DMA logging: configured after it; iommufd: not allowed)");
        assertThat(fake.logging).isFalse();
        open.close();
        host.migrationCapability = false;
        assertThat(choose(Way.CONTAINER, Way.CONTAINER, Way.DEVICE).reason()).isEqualTo("device DMA logging "
                + "(container dirty pages: the container has no migration capability)");
    }

    @Test
    void shouldSayWhatIsNotAllowed() throws Exception {
        assertThat(choose(Way.CONTAINER).reason()).isEqualTo("no dirty tracking (device DMA logging: not allowed; "
                + "iommufd: not allowed; container dirty pages: not allowed)");
    }

    @Test
    void shouldNotTakeAContainerWithoutTheCapability() throws Exception {
        host.migrationCapability = false;

        assertThat(choose(Way.CONTAINER, Way.CONTAINER).tracker()).isEmpty();
    }

    @Test
    void shouldReportPagesThatTheDeviceLoggedAndForgetThem() throws Exception {
        DirtyTracker tracker = tracker(Way.CONTAINER);
        IovaRange range = new IovaRange(16 * PAGE, 128 * PAGE);
        tracker.start(PAGE, List.of(range));
        fake.written.addAll(List.of(15L, 16L, 17L, 80L, 143L, 144L));

        assertThat(report(tracker, range)).containsExactly(0b11, 1L << 63 | 1);
        assertThat(report(tracker, range)).containsExactly(0, 0);
        assertThat(fake.written).containsExactly(15L, 144L);
        tracker.stop();
        assertThat(fake.logging).isFalse();
    }

    @Test
    void shouldKeepBitsBeforeThePositionAndThoseThatAreSet() throws Exception {
        DirtyTracker tracker = tracker(Way.CONTAINER);
        IovaRange range = new IovaRange(0, 64 * PAGE);
        tracker.start(PAGE, List.of(range));
        fake.written.add(9L);
        ByteBuffer bitmap = ByteBuffer.allocateDirect(24);
        bitmap.put(8, (byte) 0x80).position(8);

        tracker.reportAndClear(range, bitmap);

        assertThat(bitmap.position()).isEqualTo(8);
        assertThat(bitmap.get(8)).isEqualTo((byte) 0x80);
        assertThat(bitmap.get(9)).isEqualTo((byte) 0x02);
    }

    @Test
    void shouldJoinRangesUntilTheDeviceTakesThem() throws Exception {
        DirtyTracker tracker = tracker(Way.CONTAINER);
        List<IovaRange> ranges = new ArrayList<>();
        for (int i = 0; i < 17; i++) {
            ranges.add(new IovaRange(2 * i * PAGE, PAGE));
        }

        tracker.start(PAGE, ranges);

        assertThat(fake.loggedRanges).hasSize(4);
        report(tracker, ranges.get(16));
    }

    @Test
    void shouldBeginAnewWhenTheRecordIsLost() throws Exception {
        DirtyTracker tracker = tracker(Way.CONTAINER);
        IovaRange range = new IovaRange(0, 64 * PAGE);
        tracker.start(PAGE, List.of(range));
        host.kernel.refuse(Request.LOGGING_REPORT, 5);
        assertThat(assertErrno(Errno.EOVERFLOW, () -> report(tracker, range)).getCause())
                .hasMessage(ADDRESS + ": VFIO_DEVICE_FEATURE GET DMA_LOGGING_REPORT failed; it is in RUNNING now");
        host.kernel.refuse(Request.LOGGING_REPORT, 0);
        fake.written.add(3L);

        assertThat(report(tracker, range)).containsExactly(0b1000);
    }

    @Test
    void shouldNotRecordAnyMoreWhenItCannotBeginAnew() throws Exception {
        DirtyTracker tracker = tracker(Way.CONTAINER);
        IovaRange range = new IovaRange(0, 64 * PAGE);
        tracker.start(PAGE, List.of(range));
        host.kernel.refuse(Request.LOGGING_REPORT, 75); // EOVERFLOW, which would say that recording goes on
        fake.logRanges = 0;

        assertErrno(Errno.EIO, () -> report(tracker, range));
        assertErrno(Errno.EINVAL, () -> report(tracker, range));
    }

    @Test
    void shouldTryAgainToEndWhatTheKernelGoesOnToRecord() throws Exception {
        DirtyTracker tracker = tracker(Way.CONTAINER);
        List<IovaRange> ranges = List.of(new IovaRange(0, 64 * PAGE));
        tracker.start(PAGE, ranges);
        host.kernel.refuse(Request.LOGGING_STOP, 5);
        assertErrno(Errno.EIO, tracker::stop);
        assertErrno(Errno.EINVAL, () -> report(tracker, ranges.get(0)));
        assertThat(fake.logging).isTrue();
        assertErrno(Errno.EIO, () -> tracker.start(PAGE, ranges));
        host.kernel.refuse(Request.LOGGING_STOP, 0);

        tracker.stop();
        assertThat(fake.logging).isFalse();

        tracker.start(PAGE, ranges);
        host.kernel.refuse(Request.LOGGING_STOP, 5);
        assertErrno(Errno.EIO, tracker::stop);
        host.kernel.refuse(Request.LOGGING_STOP, 0);
        tracker.start(PAGE, ranges);
        report(tracker, ranges.get(0));
        tracker.stop();
        assertThat(fake.logging).isFalse();
    }

    /** The kernel answers EINVAL for a range that begins or ends inside a mapping, whatever was written. */
    @ParameterizedTest
    @CsvSource({"0, 66, -1, 3", "2, 68, -1, 15", "1, 69, 0, 0", "0, 128, 0, 0"})
    void shouldTakeEveryPageOfARangeThatCutsAMappingForWritten(int first, int pages, long word, long last)
            throws Exception {
        fake.logRanges = -1;
        DirtyTracker container = tracker(Way.CONTAINER);
        host.mapAtOnce(PAGE, 69); // pages 1 to 69
        IovaRange whole = new IovaRange(0, 128 * PAGE);
        container.start(PAGE, List.of(whole));
        IovaRange cut = new IovaRange(first * PAGE, pages * PAGE);

        host.kernel.fail(-1, 0, 0);
        long[] written = report(container, cut);

        assertThat(host.kernel.made()).as("one request, no new beginning").isEqualTo(1);
        assertThat(written).containsExactly(word, last);
        host.dirty.add(80L);
        assertThat(report(container, whole)).containsExactly(0, 1L << 16);
        container.stop();
    }

    @Test
    void shouldReportWhatTheContainerAndIommufdSay() throws Exception {
        fake.logRanges = -1;
        host.mostDirtyBitmapBytes = 16; // 128 pages at a time
        DirtyTracker container = tracker(Way.CONTAINER);
        IovaRange range = new IovaRange(0, 320 * PAGE);
        container.start(PAGE, List.of(range));
        host.dirty.addAll(List.of(1L, 130L, 319L));
        assertThat(report(container, range)).containsExactly(2, 0, 4, 0, 1L << 63);
        assertThat(container.capabilities().exact()).isFalse();
        container.stop();
        assertThat(host.trackingIsOn()).isFalse();
        open.close();

        host.cdev(ADDRESS, "pci", "vfio0");
        DirtyTracker iommufd = tracker(Way.IOMMUFD);
        host.mapPages(0, 320);
        iommufd.start(PAGE, List.of(range));
        host.dirty.add(64L);
        assertThat(report(iommufd, range)).containsExactly(0, 1, 0, 0, 0);
        iommufd.stop();
        assertThat(host.trackingIsOn()).isFalse();
    }

    /** The kernel refuses a second start; ending the log for that would end what the VMM records. */
    @Test
    void shouldLeaveTheLogToTheLenderWhoLogsAlready() throws Exception {
        fake.logging = true;

        assertThat(choose(Way.CONTAINER, Way.values()).reason())
                .startsWith("container dirty pages (device DMA logging: ");
        assertThat(fake.logging).as("by the VMM").isTrue();
    }
}
