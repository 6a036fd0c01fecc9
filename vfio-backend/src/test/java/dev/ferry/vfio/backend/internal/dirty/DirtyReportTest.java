// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the trackers report of the pages that a device writes, and what they do where the kernel does not. */
class DirtyReportTest extends TrackingFixture {

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
}
