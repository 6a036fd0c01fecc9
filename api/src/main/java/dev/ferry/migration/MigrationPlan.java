// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a migration would do, and what it is expected to cost, before it starts. Immutable.
 *
 * @param findings everything that stands against it; empty when it can start
 * @param devices one for each pair of the request, in its order
 * @param memory how the guest's memory would be carried
 * @param plannedDowntime as far as earlier migrations of such devices, a measured rate or the bandwidth limit tell;
 *     empty when nothing does, and without a guest's memory also when no such device was migrated before
 */
public record MigrationPlan(
        List<Finding> findings, List<Device> devices, Memory memory, Optional<Duration> plannedDowntime) {

    /** Copies the lists. */
    public MigrationPlan {
        findings = List.copyOf(findings);
        devices = List.copyOf(devices);
    }

    /**
     * One device.
     *
     * @param pair which
     * @param preCopy whether it would save while its guest runs
     * @param stateBytes expected size of its state; empty when it cannot be asked now
     * @param tracker how the pages that it writes would be known, for people; empty when nothing can tell
     */
    public record Device(DevicePair pair, boolean preCopy, OptionalLong stateBytes, Optional<String> tracker) {}

    /**
     * The guest's memory.
     *
     * @param bytes how much there is; 0 without a guest, or when it could not be asked
     * @param tracked whether it would be carried while the guest runs
     * @param pageBytes size of a tracked page; 0 when it would not be tracked
     * @param bitmapBytes what the record of written pages would take
     * @param explanation one sentence: the choice, the reason, and what it costs; or why the guest could not be asked
     */
    public record Memory(long bytes, boolean tracked, long pageBytes, long bitmapBytes, String explanation) {}
}
