// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A start is over only when no write that began before it can go unseen. */
class PageTrackerTest {

    private static final int PAGE = 4096;
    private static final List<IovaRange> EIGHT_PAGES = List.of(new IovaRange(0, 8 * PAGE));

    private final PageTracker tracker = new PageTracker("the guest", "test", true);

    private byte harvest() throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocate(Long.BYTES);
        tracker.reportAndClear(EIGHT_PAGES.get(0), bitmap);
        return bitmap.get(0);
    }

    @Test
    void shouldRecordWritesThatAreUnderWayWhenItStarts() throws Exception {
        tracker.handshake(() -> tracker.written(3 * PAGE, 1));

        tracker.start(PAGE, EIGHT_PAGES);

        assertThat(harvest()).isEqualTo((byte) 0b1000);
    }

    @Test
    void shouldRecordNothingWhenWritesUnderWayDoNotEnd() throws Exception {
        tracker.handshake(() -> {
            throw new DeviceException(Errno.ETIMEDOUT, "a round of the guest does not end");
        });

        assertThatThrownBy(() -> tracker.start(PAGE, EIGHT_PAGES))
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));

        assertThat(tracker.logOrNull()).isNull();
        tracker.handshake(() -> {});
        tracker.start(PAGE, EIGHT_PAGES);
        assertThat(harvest()).isZero();
    }
}
