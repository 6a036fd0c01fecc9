// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import java.util.concurrent.locks.LockSupport;

/** What time it is, and how to let some pass; tests have one of their own. Thread-safe. */
public interface TimeSource {

    /** The time of this machine. */
    TimeSource SYSTEM = new TimeSource() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public void pause(long nanos) {
            LockSupport.parkNanos(nanos);
        }
    };

    /** Nanoseconds since some moment, as {@link System#nanoTime}. */
    long nanos();

    /** Waits about so long, or less. */
    void pause(long nanos);
}
