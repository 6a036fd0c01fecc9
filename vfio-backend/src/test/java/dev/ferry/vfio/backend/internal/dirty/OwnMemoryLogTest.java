// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceMemory.Mapping;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Dirty pages of memory that was mapped here for devices that were opened here. */
class OwnMemoryLogTest extends SharedLogsFixture {
    private static final String FIRST = "0000:3b:00.2";
    private static final String SECOND = "0000:3b:00.3";

    private DeviceOpener opener;

    private DirtyTracker open(String name, Way way) throws Exception {
        host.iommuMarksPages = true;
        host.pci(name, "mlx5_vfio_pci", "12").logRanges = -1;
        if (way == Way.IOMMUFD) {
            host.cdev(name, "pci", name.equals(FIRST) ? "vfio0" : "vfio1");
        }
        if (opener == null) {
            opener = new DeviceOpener(host.kernel, host.root);
        }
        device = opener.open(host.found(name), name, DeviceOpener.Way.AUTO);
        opened.add(device);
        return tracker(device.space(), way);
    }

    private static UserMemory memory(OpenDevice device) {
        return device.memory().orElseThrow().get();
    }

    private static ByteBuffer pages(int count) {
        return ByteBuffer.allocateDirect((int) ((count + 1) * PAGE)).alignedSlice((int) PAGE)
                .limit((int) (count * PAGE));
    }

    /** Pages 0 to 9, 20 to 69, 70 to 79 and 100 to 199; what the kernel says of a hole is worth nothing. */
    @ParameterizedTest
    @EnumSource(names = {"CONTAINER", "IOMMUFD"})
    void shouldTellOfAllThatIsMappedWhateverLiesBetween(Way way) throws Exception {
        DirtyTracker tracker = open(FIRST, way);
        UserMemory memory = memory(device);
        memory.map(0, pages(10));
        memory.map(20 * PAGE, pages(50));
        memory.map(70 * PAGE, pages(10));
        memory.map(100 * PAGE, pages(100));
        tracker.start(PAGE, List.of(RANGE));
        if (way == Way.CONTAINER) {
            memory.map(128 * PAGE + 100 * PAGE, pages(1));
        }
        host.dirty.addAll(List.of(3L, 20L, 64L, 79L));

        long[] last = way == Way.CONTAINER
                ? new long[] {1L << 3 | 1L << 20, 1L | 1L << 15 | -1L << 36} // the range cuts the last mapping
                : new long[] {1L << 3 | 1L << 20, 1L | 1L << 15};
        assertThat(report(tracker, RANGE)).containsExactly(last);
        tracker.stop();
    }

    /** A report would clear the mark of all that the IOMMU has one mark for, and tell its own range alone. */
    @Test
    void shouldKeepForTheNextReportWhatLiesBehindTheRange() throws Exception {
        host.iommuPage = 2 << 20;
        DirtyTracker tracker = open(FIRST, Way.IOMMUFD);
        memory(device).map(0, pages(512));
        tracker.start(PAGE, List.of(new IovaRange(0, 512 * PAGE)));
        host.dirty.addAll(List.of(1L, 200L));

        assertThat(tracker.capabilities().exact()).isTrue();
        assertThat(report(tracker, RANGE)).containsExactly(0b10, 0);
        assertThat(report(tracker, new IovaRange(128 * PAGE, 128 * PAGE))).containsExactly(0, 1L << 200 - 192);
        tracker.stop();
    }

    @ParameterizedTest
    @EnumSource(names = {"CONTAINER", "IOMMUFD"})
    void shouldCountAsWrittenOnceWhatWasUnmappedMeanwhile(Way way) throws Exception {
        DirtyTracker tracker = open(FIRST, way);
        UserMemory memory = memory(device);
        memory.map(0, pages(8)).close();
        Mapping mapping = memory.map(8 * PAGE, pages(8));
        memory.map(16 * PAGE, pages(112));
        tracker.start(PAGE, List.of(RANGE));
        host.dirty.add(40L);
        mapping.close();
        memory.map(8 * PAGE, pages(8));

        assertThat(report(tracker, RANGE)).containsExactly(0xFF00L | 1L << 40, 0);
        assertThat(report(tracker, RANGE)).containsExactly(0, 0);
        tracker.stop();
        memory.close();
        tracker.start(PAGE, List.of(RANGE));
        assertThat(report(tracker, RANGE)).as("that was before").containsExactly(0, 0);
        tracker.stop();
    }

    /** The marks of a mapping go with it. */
    @ParameterizedTest
    @CsvSource({"CONTAINER, 0x3B75, 0x3B72", "IOMMUFD, 0x3B8C, 0x3B86"})
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldUnmapNothingWhileAReportIsMade(Way way, String get, String unmap) throws Exception {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        Semaphore gate = new Semaphore(Integer.MAX_VALUE);
        CountDownLatch asked = new CountDownLatch(1);
        opener = new DeviceOpener(InterceptedCalls.of(host.kernel, (call, arguments) -> {
            if (call.equals("ioctl") && arguments[1].equals(Integer.decode(unmap))) {
                order.add("unmapped");
            } else if (call.equals("ioctl") && arguments[1].equals(Integer.decode(get)) && !gate.tryAcquire()) {
                asked.countDown();
                gate.acquireUninterruptibly();
                order.add("told");
            }
            return null;
        }), host.root);
        DirtyTracker tracker = open(FIRST, way);
        Mapping mapping = memory(device).map(0, pages(128));
        tracker.start(PAGE, List.of(RANGE));
        host.dirty.add(3L);
        gate.drainPermits();
        FutureTask<long[]> report = new FutureTask<>(() -> report(tracker, RANGE));
        new Thread(report).start();
        asked.await();

        FutureTask<Void> end = new FutureTask<>(() -> {
            mapping.close();
            return null;
        });
        Thread ending = new Thread(end);
        ending.start();
        while (ending.getState() != Thread.State.BLOCKED && order.isEmpty()) {
            Thread.onSpinWait();
        }
        gate.release(100);

        assertThat(report.get()).containsExactly(1 << 3, 0);
        end.get();
        assertThat(order).containsExactly("told", "unmapped");
        assertThat(report(tracker, RANGE)).containsExactly(-1, -1);
        tracker.stop();
    }

    @ParameterizedTest
    @EnumSource(names = {"CONTAINER", "IOMMUFD"})
    void shouldTellBothDevicesOfAGroupWhatOneUnmapped(Way way) throws Exception {
        DirtyTracker first = open(FIRST, way);
        Mapping mapping = memory(device).map(0, pages(4));
        DirtyTracker second = open(SECOND, way);
        first.start(PAGE, List.of(RANGE));
        second.start(PAGE, List.of(RANGE));
        mapping.close();

        assertThat(report(first, RANGE)).containsExactly(0xF, 0);
        assertThat(report(first, RANGE)).containsExactly(0, 0);
        assertThat(report(second, RANGE)).containsExactly(0xF, 0);
        first.stop();
        second.stop();
        assertThat(host.tracking).containsExactly("start", "stop");
    }

    @ParameterizedTest
    @CsvSource({"CONTAINER, DIRTY_PAGES_GET_BITMAP, DIRTY_PAGES_START",
        "IOMMUFD, GET_DIRTY_BITMAP, SET_DIRTY_TRACKING_ON"})
    void shouldTakeAnErrorForALostRecord(Way way, Request get, Request start) throws Exception {
        DirtyTracker tracker = open(FIRST, way);
        memory(device).map(0, pages(4));
        host.kernel.refuse(start, 12);
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(PAGE, List.of(RANGE)));
        host.kernel.refuse(start, 0);
        tracker.start(PAGE, List.of(RANGE));
        host.kernel.refuse(get, 12);

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> report(tracker, RANGE))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOVERFLOW));

        host.kernel.refuse(get, 0);
        host.dirty.add(1L);
        assertThat(report(tracker, RANGE)).containsExactly(0b10, 0);
        tracker.stop();
    }
}
