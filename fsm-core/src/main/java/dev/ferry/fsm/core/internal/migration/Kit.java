// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.memory.Buffers;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.fsm.core.internal.pace.TokenBucket;
import dev.ferry.migration.MigrationRequest;

/**
 * What the phases of one migration work with.
 *
 * @param request what was asked for
 * @param settings as they were when it started
 * @param signal asks it to stop
 * @param timeline what happens and when
 * @param crew does several things at a time
 * @param passes takes several devices to a state
 * @param pace keeps it below the bandwidth limit
 * @param buffers for data under way
 * @param clock what time it is
 * @param history how long things took before
 */
record Kit(
        MigrationRequest request,
        Settings settings,
        StopSignal signal,
        Timeline timeline,
        Crew crew,
        Passes passes,
        TokenBucket pace,
        Buffers buffers,
        TimeSource clock,
        StepHistory history) {}
