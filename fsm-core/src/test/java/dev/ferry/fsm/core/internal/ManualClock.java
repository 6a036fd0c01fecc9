// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.fsm.core.internal.device.TimeSource;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still but for pauses and what a test adds. */
public final class ManualClock implements TimeSource {

    private final AtomicLong now = new AtomicLong(1_000_000_000L);

    @Override
    public long nanos() {
        return now.get();
    }

    @Override
    public void pause(long nanos) {
        now.addAndGet(nanos);
    }

    /** Lets time pass. */
    public void advance(java.time.Duration time) {
        now.addAndGet(time.toNanos());
    }
}
