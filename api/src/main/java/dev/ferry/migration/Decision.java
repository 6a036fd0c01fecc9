// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;

/**
 * One thing that a migration decided, and why. Immutable.
 *
 * @param at since the start of the migration
 * @param kind from a bounded set
 * @param message one sentence with the numbers that led to it
 */
public record Decision(Duration at, Kind kind, String message) {

    /** What can be decided. */
    public enum Kind {
        /** How the memory is carried: which trackers are used, or why all of it waits for the switchover. */
        TRACKING,
        /** Which devices save while their guest runs, and which do not. */
        PRE_COPY,
        /** The destination of a device has loaded the initial data: it is ready for the switchover. */
        ACKNOWLEDGED,
        /** A device announced new initial data: its destination has to acknowledge again. */
        REINITIALIZED,
        /** The destination of a device is no longer waited for, as the device gives no initial data. */
        UNACKNOWLEDGED,
        /** A tracker lost its record: every page counts as written. */
        TRACKING_LOST,
        /** The guest is paused now. */
        SWITCHOVER,
        /** The allowed downtime was raised. */
        RAMP,
        /** The allowed downtime cannot be reached. */
        STALL,
        /** The switchover comes although the allowed downtime will be exceeded. */
        FORCED,
        /** A dry run ends here and is unwound. */
        DRY_RUN
    }
}
