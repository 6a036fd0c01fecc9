// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.fake;

import dev.ferry.virtio.driver.command.AdminExchange;
import java.util.ArrayList;
import java.util.List;

/** A clock that moves when it is told to, or paused upon. */
public final class FakeClock implements AdminExchange.Clock {

    public long now;
    public final List<Long> pauses = new ArrayList<>();

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
