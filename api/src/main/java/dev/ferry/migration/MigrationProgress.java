// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How far a migration is, at one moment. Immutable.
 *
 * @param phase it is in; CHECK while it waits for its turn
 * @param waiting whether it waits for its turn
 * @param percent of what is known to be done; 0 to 99 until it has completed, then 100; may fall when the guest writes
 * @param total everything
 * @param memory the guest's memory alone
 * @param devices one for each pair of the request, in its order
 * @param round of pre-copy, from 1; 0 before
 * @param allowedDowntime as it is after ramps
 * @param predictedDowntime of a switchover now, at least: steps of devices are left out for which there is nothing to
 *     go by; empty when there is nothing for any part of it
 * @param timeLeft to the end: what the bytes that are left take at the present rate, and the steps of the devices as
 *     they took before, as far as known. Empty when there is nothing to go by: during the downtime also when a step
 *     that is to come was never measured, or when the present one takes longer than planned
 */
public record MigrationProgress(
        MigrationPhase phase,
        boolean waiting,
        int percent,
        Transfer total,
        Transfer memory,
        List<Device> devices,
        int round,
        Duration allowedDowntime,
        Optional<Duration> predictedDowntime,
        Optional<Range> timeLeft) {

    private static final int COMPLETE = 100;

    /** Copies the list; refuses percentages that are none. */
    public MigrationProgress {
        devices = List.copyOf(devices);
        if (percent < 0 || percent > COMPLETE) {
            throw new IllegalArgumentException("not a percentage: " + percent);
        }
    }

    /**
     * What was carried of something.
     *
     * @param bytes so far, those that were carried again included
     * @param bytesPerSecond in the last second or so
     * @param remainingBytes as known now; more can follow while the guest runs
     */
    public record Transfer(long bytes, long bytesPerSecond, long remainingBytes) {
        /** Nothing. */
        public static final Transfer NONE = new Transfer(0, 0, 0);
    }

    /**
     * One device.
     *
     * @param source its id at the source
     * @param transfer of its state
     * @param acknowledged whether its destination has loaded the initial data, or has none to load
     * @param timeLeft what the bytes that are left of its state take at the present rate, at most with the steps of its
     *     downtime that are to come, as they took before; the upper end is empty until the downtime. {@code timeLeft}
     *     itself is empty when nothing of the state is being carried
     */
    public record Device(String source, Transfer transfer, boolean acknowledged, Optional<Range> timeLeft) {

        /** A device whose time is not known. */
        public Device(String source, Transfer transfer, boolean acknowledged) {
            this(source, transfer, acknowledged, Optional.empty());
        }
    }

    /**
     * An estimate. During the downtime both are the same for the whole migration.
     *
     * @param atLeast when the guest writes no more pages
     * @param atMost of the whole migration, when the guest goes on as it did; empty when that would never end, or when
     *     it is not known: before the first look at what the guest writes, after a round that gained nothing, and while
     *     there is nothing to go by for a step of a device
     */
    public record Range(Duration atLeast, Optional<Duration> atMost) {}
}
