// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What reaches the kernel of each request of dirty tracking, and what its answers lead to. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TrackingRequestsTest {
    private static final String ADDRESS = "0000:3b:00.2";
    private static final long PAGE = 4096;
    private static final IovaRange RANGE = new IovaRange(16 * PAGE, 64 * PAGE);

    @TempDir
    private Path folder;

    private FakeHost host;
    private FakeDevice fake;
    private OpenDevice open;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        fake = host.pci(ADDRESS, "mlx5_vfio_pci", "12");
    }

    @AfterEach
    void shouldLeaveNothing() {
        if (open != null) {
            open.close();
        }
        assertThat(host.kernel.openFiles()).isZero();
        assertThat(fake.logging).isFalse();
        assertThat(host.trackingIsOn()).isFalse();
    }

    private DirtyTracking.Choice choose(Way way) throws Exception {
        open = Vmm.lend(host, ADDRESS, way);
        return new DirtyTracking().choose(open.device(), open.space(), 4096, List.of(way));
    }

    private DirtyTracker tracker(Way way) throws Exception {
        return choose(way).tracker().orElseThrow();
    }

    @Test
    void shouldTellTheDeviceThePageSizeAndTheRanges() throws Exception {
        DirtyTracker tracker = tracker(Way.DEVICE);
        List<IovaRange> ranges = List.of(RANGE, new IovaRange(1 << 21, 2 << 20));

        tracker.start(2 * PAGE, ranges);

        assertThat(fake.loggedPageSize).isEqualTo(2 * PAGE);
        assertThat(fake.loggedRanges).isEqualTo(ranges);
        tracker.stop();
    }

    @Test
    void shouldReportInThePagesThatWereAskedFor() throws Exception {
        DirtyTracker tracker = tracker(Way.DEVICE);
        tracker.start(4 * PAGE, List.of(RANGE));
        fake.written.addAll(List.of(16L, 19L, 20L, 79L));
        ByteBuffer bitmap = ByteBuffer.allocate(8);

        tracker.reportAndClear(RANGE, bitmap);

        assertThat(bitmap.array()).containsExactly(0b11, 0x80, 0, 0, 0, 0, 0, 0);
        tracker.stop();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldReportTheRangeThatWasAskedFor(Way way) throws Exception {
        host.mapPages(16 * PAGE, 64);
        DirtyTracker tracker = tracker(way);
        tracker.start(PAGE, List.of(RANGE));
        (way == Way.DEVICE ? fake.written : host.dirty).addAll(List.of(15L, 16L, 17L, 79L, 80L));
        ByteBuffer bitmap = ByteBuffer.allocate(8);

        tracker.reportAndClear(RANGE, bitmap);

        assertThat(bitmap.array()).containsExactly(0b11, 0, 0, 0, 0, 0, 0, 0x80);
        tracker.stop();
    }

    /** Some drivers say that they have no more room with another error than others. */
    @ParameterizedTest
    @ValueSource(ints = {7, 28})
    void shouldJoinRangesWhenTheDeviceHasNoRoomForMore(int errno) throws Exception {
        fake.tooManyRangesErrno = errno;
        fake.logRanges = 1;
        DirtyTracker tracker = tracker(Way.DEVICE);

        tracker.start(PAGE, List.of(RANGE, new IovaRange(100 * PAGE, PAGE)));

        assertThat(fake.loggedRanges).containsExactly(new IovaRange(16 * PAGE, 85 * PAGE));
        tracker.stop();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 127, 128, 129, 200, 254, 255})
    void shouldJoinNoMoreRangesThanItMust(int kept) throws Exception {
        DirtyTracker tracker = tracker(Way.DEVICE);
        fake.logRanges = kept;
        List<IovaRange> ranges = new ArrayList<>();
        for (int i = 0; i < 256; i++) {
            ranges.add(new IovaRange(2 * i * PAGE, PAGE));
        }

        tracker.start(PAGE, ranges);

        assertThat(fake.loggedRanges).hasSize(kept);
        tracker.stop();
    }

    /** What was begun to find out how many it keeps must not go on. */
    @Test
    void shouldLogNothingWhenTheSearchForTheMostRangesFails() throws Exception {
        DirtyTracker tracker = tracker(Way.DEVICE);
        fake.logRanges = 3;
        host.kernel.fail(2, 5, 0); // 4 ranges are too many, 2 are not, and the end of these fails once

        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> tracker.start(PAGE, List.of(RANGE,
                new IovaRange(100 * PAGE, PAGE), new IovaRange(102 * PAGE, PAGE), new IovaRange(104 * PAGE, PAGE))))
                .withMessageContaining("SET DMA_LOGGING_STOP");

        assertThat(fake.logging).isFalse();
    }

    /** As mlx5_vfio_pci, which needs a least length in all; a migration has that. */
    @Test
    void shouldTakeALogThatIsNotKeptOfOnePage() throws Exception {
        fake.leastLogBytes = 1 << 20;
        DirtyTracker tracker = tracker(Way.DEVICE);
        assertThat(fake.logging).isFalse();

        tracker.start(PAGE, List.of(new IovaRange(0, 1 << 20)));
        tracker.stop();
    }

    @Test
    void shouldNotTakeALogThatIsNotKeptOfOnePageWhereTheKernelCannotReport() throws Exception {
        fake.leastLogBytes = 1 << 20;
        host.kernel.refuse(Request.LOGGING_REPORT, 95);

        assertThat(choose(Way.DEVICE).reason())
                .contains("it is offered, but ", "GET DMA_LOGGING_REPORT failed (EOPNOTSUPP)");
    }

    @Test
    void shouldGiveUpJoiningWhenOneRangeIsTooMany() throws Exception {
        DirtyTracker tracker = tracker(Way.DEVICE);
        fake.logRanges = 0;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(PAGE, List.of(RANGE, new IovaRange(100 * PAGE, PAGE))))
                .withMessageContaining("SET DMA_LOGGING_START failed (E2BIG)");
    }

    @Test
    void shouldTakeAsManyRangesAsItSays() throws Exception {
        fake.logRanges = 256;
        DirtyTracker tracker = tracker(Way.DEVICE);
        List<IovaRange> ranges = new ArrayList<>();
        for (int i = 0; i < tracker.capabilities().maxRanges(); i++) {
            ranges.add(new IovaRange(2 * i * PAGE, PAGE));
        }

        tracker.start(PAGE, ranges);

        assertThat(fake.loggedRanges).hasSize(256);
        tracker.stop();
    }

    @ParameterizedTest
    @CsvSource({"DEVICE, LOGGING_REPORT", "CONTAINER, IOMMU_GET_INFO", "IOMMUFD, GET_DIRTY_BITMAP"})
    void shouldNotChooseWhatItCannotTryOut(Way way, Request request) throws Exception {
        host.kernel.refuse(request, 95);

        DirtyTracking.Choice choice = choose(way);

        assertThat(choice.tracker()).isEmpty();
        assertThat(choice.reason()).contains("it is offered, but ", "failed (EOPNOTSUPP)");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldPassOnARefusalToStart(Way way) throws Exception {
        DirtyTracker tracker = tracker(way);
        for (Request request : List.of(
                Request.LOGGING_START, Request.SET_DIRTY_TRACKING_ON, Request.DIRTY_PAGES_START)) {
            host.kernel.refuse(request, 12);
        }

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> tracker.start(PAGE, List.of(RANGE)))
                .withMessageContaining("failed");
        assertThat(fake.logging || host.trackingIsOn()).isFalse();
        tracker.stop();
    }

    /** The capabilities of a container: where each says the next is, page sizes and longest bitmap of the second. */
    @ParameterizedTest
    @CsvSource({
        "24, 56, 88, 0, 4096, 8, true",
        "56, 0, 88, 0, 4096, 8, true",
        "88, 0, 24, 56, 4096, 8, false", // backwards: not followed, so that no chain is endless
        "24, 24, 0, 0, 4096, 8, false",
        "24, 57, 0, 0, 4096, 8, false",
        "24, 8000, 0, 0, 4096, 8, false",
        "24, -8, 0, 0, 4096, 8, false",
        "24, 0, 0, 0, 4096, 8, false",
        "0, 56, 0, 0, 4096, 8, false",
        "24, 56, 0, 0, 0, 8, false",
        "24, 56, 0, 0, 4096, 7, false",
        "24, 56, 0, 0, 4096, -1, false",
    })
    void shouldFollowTheChainOfCapabilities(
            int first, int next1, int next2, int next3, long pageSizes, long mostBytes, boolean found)
            throws Exception {
        host.firstCapability = first;
        host.otherCapabilities = FakeHost.capabilities(next1, next2, next3, pageSizes, mostBytes);

        assertThat(choose(Way.CONTAINER).tracker().isPresent()).isEqualTo(found);
    }

    @Test
    void shouldNotReadACapabilityThatTheAnswerDoesNotHold() throws Exception {
        byte[] whole = FakeHost.capabilities(56, 0, 0, 4096, 8);
        host.otherCapabilities = Arrays.copyOf(whole, 56);

        assertThat(choose(Way.CONTAINER).tracker()).isEmpty();
    }

    @Test
    void shouldNotAllocateWhateverTheKernelSaysItNeeds() throws Exception {
        host.otherCapabilities = new byte[1 << 20];

        assertThat(choose(Way.CONTAINER).reason()).contains("says it needs 1048600 bytes to describe itself");
    }

    /** Another device joins; a container that grows whenever it is asked is given up. */
    @ParameterizedTest
    @CsvSource({"1, true", "4, true", "16, false"})
    void shouldAskAgainWhenTheAnswerHasGrownMeanwhile(int times, boolean found) throws Exception {
        host.growing = times;

        DirtyTracking.Choice choice = choose(Way.CONTAINER);

        assertThat(choice.tracker().isPresent()).isEqualTo(found);
        assertThat(choice.reason()).doesNotContain("no migration capability");
    }

    @Test
    void shouldNotReadACapabilityOfAnotherVersion() throws Exception {
        host.otherCapabilities = FakeHost.capabilities(56, 88, 0, 4096, 8);
        host.otherCapabilities[32 + 2] = 2;

        assertThat(choose(Way.CONTAINER).reason()).contains("no migration capability");
    }

    @Test
    void shouldAskAContainerForTheSmallestPages() throws Exception {
        host.otherCapabilities = FakeHost.capabilities(56, 88, 0, 0x40201000L, 1 << 20);

        assertThat(tracker(Way.CONTAINER).capabilities().pageSizes()).isEqualTo(4096);
    }
}
