// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.FakeTracker;
import dev.ferry.fsm.core.internal.LiveDriver;
import dev.ferry.fsm.core.internal.LiveGuest;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrackerTest {

    private final Buffers scratches = new Buffers();
    private final LiveGuest guest = new LiveGuest("guest", 1, true);
    private final FakeTracker fake = guest.tracker;
    private int stops;

    private Tracker tracker() throws Exception {
        return Tracker.of(new GuestCalls("source", guest)).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({"0x1000, 4096", "0x11200, 4096", "0x210000, 65536", "0x600, 1024"})
    void shouldTakeTheUsualPageElseTheNextLargerOneElseItsLargest(String pageSizes, long chosen) throws Exception {
        fake.pageSizes = Long.decode(pageSizes);
        assertThat(tracker().pageBytes()).isEqualTo(chosen);
    }

    @Test
    void shouldReportIntoABitmapOfTheSamePages() throws Exception {
        assertThat(runsAfterWrites(4096, List.of(new IovaRange(0x4000, 0x300000)), 0x4000, 0x7fff, 0x8000))
                .containsExactly(new IovaRange(0x4000, 4096), new IovaRange(0x7000, 8192));
        assertThat(fake.breaches).isEmpty();
    }

    @Test
    void shouldSpreadLargerPagesOverAllMemoryTheyTouch() throws Exception {
        fake.pageSizes = 65536;
        // One page of the tracker lies in both ranges, and both begin and end within its pages.
        List<IovaRange> memory = List.of(new IovaRange(0x1000, 0x4000), new IovaRange(0x8000, 0x20000));
        assertThat(runsAfterWrites(4096, memory, 0x9000))
                .containsExactly(new IovaRange(0x1000, 0x4000), new IovaRange(0x8000, 0x8000));
        assertThat(fake.startedRanges).as("rounded outwards, then put together")
                .containsExactly(new IovaRange(0, 0x30000));
        assertThat(fake.breaches).isEmpty();
    }

    @Test
    void shouldPutSmallerPagesTogether() throws Exception {
        fake.pageSizes = 1024;
        assertThat(runsAfterWrites(4096, List.of(new IovaRange(0x4000, 0x4000)), 0x5400, 0x5800))
                .containsExactly(new IovaRange(0x5000, 4096));
        assertThat(fake.breaches).isEmpty();
    }

    @Test
    void shouldNotEndTheRecordingOfAnotherMigrationThatKeepsTheTrackerBusy() throws Exception {
        List<IovaRange> memory = List.of(new IovaRange(0x4000, 0x4000));
        Tracker first = tracker();
        first.start(memory);
        Tracker second = tracker();
        fake.interceptor = (device, what) -> {
            throw new DeviceException(Errno.EBUSY, "it records already");
        };
        assertThatThrownBy(() -> second.start(memory)).hasMessageContaining("it records already");
        fake.interceptor = LiveDriver.Interceptor.NONE;
        second.stop();
        assertThat(fake.isRecording()).isTrue();
        first.stop();
        assertThat(fake.isRecording()).isFalse();
    }

    @Test
    void shouldStopATrackerWhoseStartFailedForAnotherReason() throws Exception {
        Tracker tracker = tracker();
        fake.interceptor = (device, what) -> {
            if (what.equals("tracker start")) {
                throw new DeviceException(Errno.EIO, "no answer");
            }
            stops += what.equals("tracker stop") ? 1 : 0;
        };
        assertThatThrownBy(() -> tracker.start(List.of(new IovaRange(0x4000, 0x4000))))
                .hasMessageContaining("no answer");
        tracker.stop();
        assertThat(stops).isEqualTo(1);
    }

    @Test
    void shouldMergeTheNearestRangesWhenThereAreTooMany() {
        List<IovaRange> ranges = List.of(
                new IovaRange(0, 10), new IovaRange(100, 10), new IovaRange(115, 5), new IovaRange(500, 10));
        assertThat(Tracker.merged(ranges, 4)).isEqualTo(ranges);
        assertThat(Tracker.merged(ranges, 3))
                .containsExactly(new IovaRange(0, 10), new IovaRange(100, 20), new IovaRange(500, 10));
        assertThat(Tracker.merged(ranges, 2)).containsExactly(new IovaRange(0, 120), new IovaRange(500, 10));
        assertThat(Tracker.merged(ranges, 1)).containsExactly(new IovaRange(0, 510));
    }

    @Test
    void shouldAskInSlicesAndStopBetweenThem() throws Exception {
        List<IovaRange> memory = List.of(new IovaRange(0, 40L << 30));
        guest.ranges = memory;
        Tracker tracker = tracker();
        tracker.start(memory);
        DirtyBitmap bitmap = new DirtyBitmap(memory, 4096);
        List<Integer> asked = new ArrayList<>();
        assertThat(tracker.harvest(bitmap, 0, scratches, () -> asked.add(fake.reports))).isTrue();
        assertThat(asked).containsExactly(0, 1, 2);
        assertThat(fake.breaches).isEmpty();
    }

    @Test
    void shouldAskForWholeWordsOfPagesThatAreLargerThanASlice() throws Exception {
        fake.pageSizes = 1L << 30;
        assertThat(runsAfterWrites(1L << 30, List.of(new IovaRange(0, 100L << 30)), 17L << 30, 70L << 30))
                .containsExactly(new IovaRange(17L << 30, 1L << 30), new IovaRange(70L << 30, 1L << 30));
        assertThat(fake.breaches).isEmpty();
    }

    @Test
    void shouldBeginWhereNoOtherOneDoesAndMissNothing() throws Exception {
        // Pages of 1 GiB, of which 64 make a slice.
        fake.pageSizes = 1L << 30;
        List<IovaRange> memory = List.of(new IovaRange(0, 129L << 30));
        Tracker tracker = tracker();
        tracker.start(memory);
        fake.write(1L << 30, 1);
        fake.write(64L << 30, 1);
        fake.write(128L << 30, 1);
        DirtyBitmap bitmap = new DirtyBitmap(memory, 1L << 30);
        List<List<IovaRange>> seen = new ArrayList<>();
        assertThat(tracker.harvest(bitmap, 1, scratches, () -> seen.add(runs(bitmap)))).isTrue();
        seen.add(runs(bitmap));
        assertThat(seen).extracting(runs -> runs.stream().map(run -> run.iova() >> 30).toList())
                .containsExactly(List.of(), List.of(64L), List.of(128L), List.of(1L));
    }

    /** The same whether the tracker is the only one or reports beside others. */
    private List<IovaRange> runsAfterWrites(long pageBytes, List<IovaRange> memory, long... addresses)
            throws Exception {
        List<IovaRange> alone = runsAfterWrites(false, pageBytes, memory, addresses);
        if (tracker().pageBytes() == pageBytes) {
            assertThat(scratches.allocatedBytes()).as("reports into the bitmap itself").isZero();
        }
        assertThat(runsAfterWrites(true, pageBytes, memory, addresses)).isEqualTo(alone);
        return alone;
    }

    private List<IovaRange> runsAfterWrites(
            boolean besideOthers, long pageBytes, List<IovaRange> memory, long... addresses) throws Exception {
        Tracker tracker = tracker();
        tracker.start(memory);
        for (long address : addresses) {
            fake.write(address, 1);
        }
        DirtyBitmap bitmap = new DirtyBitmap(memory, pageBytes);
        harvest(tracker, bitmap, besideOthers);
        List<IovaRange> runs = runs(bitmap);
        harvest(tracker, bitmap, besideOthers);
        assertThat(bitmap.dirtyBytes()).as("cleared by the report").isZero();
        tracker.stop();
        assertThat(fake.isRecording()).isFalse();
        return runs;
    }

    /** Others have all slices while the tracker reports, and give them back when it waits for them. */
    private void harvest(Tracker tracker, DirtyBitmap bitmap, boolean besideOthers) throws Exception {
        if (besideOthers) {
            bitmap.slices().forEach(slice -> assertThat(slice.takeNow()).isTrue());
        }
        int[] looks = new int[1];
        Gate gate = () -> {
            // The first look is before anything is reported.
            if (besideOthers && looks[0]++ > 0) {
                bitmap.slices().forEach(Slice::giveBack);
            }
        };
        assertThat(tracker.harvest(bitmap, 0, scratches, gate)).isTrue();
        if (!besideOthers) {
            assertThat(bitmap.slices()).as("given back").allMatch(Slice::takeNow);
        }
        bitmap.slices().forEach(Slice::giveBack);
    }

    private static List<IovaRange> runs(DirtyBitmap bitmap) throws MigrationException {
        List<IovaRange> runs = new ArrayList<>();
        bitmap.drain((iova, length) -> runs.add(new IovaRange(iova, length)));
        return runs;
    }
}
