// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.DeviceState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How a migration ended and what it did. Immutable; kept by the service for a while after the end.
 *
 * @param migration id
 * @param result how it ended
 * @param dryRun whether it was one
 * @param started when its turn came
 * @param total from then to its end
 * @param downtime from the pause of the source to the start of the destination, or back to RUNNING on the source; where
 *     neither succeeded, as {@link #failure} says, up to this report, and it lasts on; zero when the source was never
 *     stopped
 * @param steps the downtime by step; empty when the source was never stopped
 * @param phases those that were entered, in order
 * @param devices one for each pair of the request, in its order
 * @param memory of the guest
 * @param decisions in order; when there were more than the service keeps, those in the middle are left out
 * @param bufferBytes the most memory that it held for data under way and for what is left to carry
 * @param findings that ended it in CHECK or CONNECT, all that were found; empty when something else ended it, and when
 *     it completed
 * @param failure empty when COMPLETED or PASSED; when CANCELLED, the cancel
 */
public record MigrationReport(
        String migration,
        Result result,
        boolean dryRun,
        Instant started,
        Duration total,
        Duration downtime,
        List<DowntimeStep> steps,
        List<Phase> phases,
        List<Device> devices,
        Memory memory,
        List<Decision> decisions,
        long bufferBytes,
        List<Finding> findings,
        Optional<Failure> failure) {

    /** Copies the lists. */
    public MigrationReport {
        steps = List.copyOf(steps);
        phases = List.copyOf(phases);
        devices = List.copyOf(devices);
        decisions = List.copyOf(decisions);
        findings = List.copyOf(findings);
        if (devices.isEmpty()) {
            throw new IllegalArgumentException("a migration has a device");
        }
    }

    /** The ways a migration ends. */
    public enum Result {
        /** The destination owns the devices. */
        COMPLETED,
        /** A dry run found nothing against the migration and was unwound; the source was never stopped. */
        PASSED,
        /** It failed; {@link #failure} says whether the source runs again. */
        FAILED,
        /** It was cancelled before ownership passed; the source runs again, with the state it had. */
        CANCELLED
    }

    /** How long one phase took. */
    public record Phase(MigrationPhase phase, Duration duration) {}

    /**
     * One device of the migration.
     *
     * @param source id
     * @param destination id
     * @param sourceState afterwards; empty when it cannot be asked
     * @param destinationState afterwards; empty when it cannot be asked
     * @param preCopyBytes device data that were carried while its guest ran
     * @param switchoverBytes device data that were carried during the downtime
     * @param steps times spent on this device during the downtime; empty when it was never stopped
     */
    public record Device(
            String source,
            String destination,
            Optional<DeviceState> sourceState,
            Optional<DeviceState> destinationState,
            long preCopyBytes,
            long switchoverBytes,
            List<DowntimeStep> steps) {

        /** Copies the list. */
        public Device {
            steps = List.copyOf(steps);
        }
    }

    /**
     * The guest's memory.
     *
     * @param totalBytes how much there is
     * @param preCopyBytes carried while the guest ran, pages that were carried again included
     * @param switchoverBytes carried during the downtime
     * @param rounds passes over written pages while the guest ran
     */
    public record Memory(long totalBytes, long preCopyBytes, long switchoverBytes, int rounds) {
        /** No guest, or nothing carried. */
        public static final Memory NONE = new Memory(0, 0, 0, 0);
    }

    /** Id of the first source device. */
    public String source() {
        return devices.get(0).source();
    }

    /** Id of the first destination device. */
    public String destination() {
        return devices.get(0).destination();
    }

    /** State of the first source device afterwards; empty when it cannot be asked. */
    public Optional<DeviceState> sourceState() {
        return devices.get(0).sourceState();
    }

    /** State of the first destination device afterwards; empty when it cannot be asked. */
    public Optional<DeviceState> destinationState() {
        return devices.get(0).destinationState();
    }

    /** Data of all devices that were carried. */
    public long stateBytes() {
        return devices.stream()
                .mapToLong(device -> device.preCopyBytes() + device.switchoverBytes())
                .sum();
    }

    /** Guest memory that was carried. */
    public long memoryBytes() {
        return memory.preCopyBytes() + memory.switchoverBytes();
    }
}
