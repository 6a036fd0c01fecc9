// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DirtyTrackingTest {

    /** A tracker that is told apart from others. */
    private record Tracker(long member) implements DirtyTracker {
        @Override
        public Capabilities capabilities() {
            return new Capabilities("a test", 4096, 1, true);
        }

        @Override
        public void start(long pageSize, List<IovaRange> ranges) {}

        @Override
        public void reportAndClear(IovaRange range, ByteBuffer bitmap) {}

        @Override
        public void stop() {}
    }

    private static final class TrackingQueue extends FakeAdminQueue implements FunctionDirtyTracking {
        private final boolean able;

        TrackingQueue(boolean able) {
            this.able = able;
        }

        @Override
        public Optional<DirtyTracker> dirtyTracker(long groupMemberId) {
            return able ? Optional.of(new Tracker(groupMemberId)) : Optional.empty();
        }
    }

    @Test
    void shouldGiveTheTrackerThatTheHostHasForTheMember() throws Exception {
        VirtioNetDriver driver = new Fixture(new TrackingQueue(true)).driver;
        assertThat(driver.dirtyTracker()).contains(new Tracker(Fixture.MEMBER));
        assertThat(driver.dirtyTracker().get()).isSameAs(driver.dirtyTracker().get());
    }

    @Test
    void shouldHaveNoneWhereTheHostCannotTrack() throws Exception {
        assertThat(new Fixture(new TrackingQueue(false)).driver.dirtyTracker()).isEmpty();
        assertThat(new Fixture(new FakeAdminQueue()).driver.dirtyTracker()).isEmpty();
    }
}
