// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.virtio.driver.AdminChannel;
import java.util.ArrayList;
import java.util.List;

/** A clock that moves when it is told to, or paused upon. */
final class FakeClock implements AdminChannel.Clock {

    long now;
    final List<Long> pauses = new ArrayList<>();

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public void pause(long nanos) {
        pauses.add(nanos);
        now += nanos;
    }
}
