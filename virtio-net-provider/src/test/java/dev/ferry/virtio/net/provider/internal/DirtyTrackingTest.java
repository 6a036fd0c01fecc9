// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DirtyTrackingTest {
    private static final IovaRange RANGE = new IovaRange(0, 4096);

    /** Has trackers that note what is asked of them. */
    private static final class TrackingQueue extends FakeAdminQueue implements FunctionDirtyTracking {
        private final List<String> calls = new ArrayList<>();

        @Override
        public Optional<DirtyTracker> dirtyTracker(long groupMemberId) {
            return Optional.of(new Tracker(groupMemberId, calls));
        }
    }

    private record Tracker(long member, List<String> calls) implements DirtyTracker {
        @Override
        public Capabilities capabilities() {
            return new Capabilities("a test", 4096, 1, true);
        }

        @Override
        public void start(long pageSize, List<IovaRange> ranges) {
            calls.add("start " + member);
        }

        @Override
        public void reportAndClear(IovaRange range, ByteBuffer bitmap) {
            calls.add("report " + member);
        }

        @Override
        public void stop() {
            calls.add("stop " + member);
        }
    }

    private static final class UnableQueue extends FakeAdminQueue implements FunctionDirtyTracking {
        @Override
        public Optional<DirtyTracker> dirtyTracker(long groupMemberId) {
            return Optional.empty();
        }
    }

    private final TrackingQueue queue = new TrackingQueue();

    @Test
    void shouldUseTheTrackerThatTheHostHasForTheMember() throws Exception {
        VirtioNetDriver driver = new Fixture(queue).driver;
        DirtyTracker tracker = driver.dirtyTracker().orElseThrow();
        assertThat(driver.dirtyTracker().orElseThrow()).isSameAs(tracker);
        assertThat(tracker.capabilities().mechanism()).isEqualTo("a test");

        tracker.start(4096, List.of(RANGE));
        tracker.reportAndClear(RANGE, ByteBuffer.allocate(8));
        tracker.stop();

        assertThat(queue.calls).containsExactly("start 3", "report 3", "stop 3");
    }

    @Test
    void shouldEndARecordingThatNobodyEndedWhenTheDriverLeaves() throws Exception {
        VirtioNetDriver driver = new Fixture(queue).driver;
        DirtyTracker tracker = driver.dirtyTracker().orElseThrow();
        tracker.start(4096, List.of(RANGE));

        driver.depart();

        assertThat(queue.calls).containsExactly("start 3", "stop 3");
        Fixture.assertErrno(Errno.ENODEV, () -> tracker.start(4096, List.of(RANGE)));
        assertThat(queue.calls).containsExactly("start 3", "stop 3");
    }

    @Test
    void shouldHaveNoneWhereTheHostCannotTrack() throws Exception {
        assertThat(new Fixture(new UnableQueue()).driver.dirtyTracker()).isEmpty();
        assertThat(new Fixture(new FakeAdminQueue()).driver.dirtyTracker()).isEmpty();
    }
}
