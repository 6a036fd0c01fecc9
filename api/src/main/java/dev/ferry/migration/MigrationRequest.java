// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What to migrate, from where to where, and how. Immutable; begin with {@link #of}.
 *
 * @param devices all devices of one guest that move together; 1 to {@link #MAX_DEVICES}
 * @param guests the guest at both ends; empty for devices that no guest uses
 * @param preCopy whether to carry device state and guest memory while the guest runs, where that is possible
 * @param dryRun whether to go the whole way up to the pause of the guest and then to unwind it: the guest is not
 *     disturbed, the destinations are reset
 * @param convergence when to switch over
 * @param bandwidth limit of what is carried, memory and device state together, during the downtime as well
 * @param timeouts up to COMMIT
 */
public record MigrationRequest(
        List<DevicePair> devices,
        Optional<Guests> guests,
        boolean preCopy,
        boolean dryRun,
        Convergence convergence,
        Bandwidth bandwidth,
        Timeouts timeouts) {

    /** The most devices of one migration. */
    public static final int MAX_DEVICES = 256;

    /** The same guest, at the source and at the destination. */
    public record Guests(Guest source, Guest destination) {
        /** Refuses null. */
        public Guests {
            Objects.requireNonNull(source, "source");
            Objects.requireNonNull(destination, "destination");
        }
    }

    /** Copies the list; refuses null, no device and too many. */
    public MigrationRequest {
        devices = List.copyOf(devices);
        Objects.requireNonNull(guests, "guests");
        Objects.requireNonNull(convergence, "convergence");
        Objects.requireNonNull(bandwidth, "bandwidth");
        Objects.requireNonNull(timeouts, "timeouts");
        if (devices.isEmpty() || devices.size() > MAX_DEVICES) {
            throw new IllegalArgumentException(
                    "a migration moves 1 to " + MAX_DEVICES + " devices, not " + devices.size());
        }
    }

    /** One device, with pre-copy and all defaults, without guests. */
    public static MigrationRequest of(String source, String destination) {
        return of(List.of(new DevicePair(source, destination)));
    }

    /** Several devices of one guest, with pre-copy and all defaults, without guests. */
    public static MigrationRequest of(List<DevicePair> devices) {
        return new MigrationRequest(
                devices,
                Optional.empty(),
                true,
                false,
                Convergence.DEFAULT,
                Bandwidth.UNLIMITED,
                Timeouts.DEFAULT);
    }

    /** Id of the first source device. */
    public String source() {
        return devices.get(0).source();
    }

    /** Id of the first destination device. */
    public String destination() {
        return devices.get(0).destination();
    }

    /** The devices for people: {@code a to x, b to y}. */
    public String describeDevices() {
        return devices.stream().map(DevicePair::toString).collect(Collectors.joining(", "));
    }

    /** The time allowed in total. */
    public Duration timeout() {
        return timeouts.total();
    }

    /** The same with or without pre-copy. */
    public MigrationRequest withPreCopy(boolean use) {
        return new MigrationRequest(devices, guests, use, dryRun, convergence, bandwidth, timeouts);
    }

    /** The same as a dry run, or for real. */
    public MigrationRequest withDryRun(boolean dry) {
        return new MigrationRequest(devices, guests, preCopy, dry, convergence, bandwidth, timeouts);
    }

    /** The same with the guest that uses the devices. */
    public MigrationRequest withGuests(Guest atSource, Guest atDestination) {
        Optional<Guests> both = Optional.of(new Guests(atSource, atDestination));
        return new MigrationRequest(devices, both, preCopy, dryRun, convergence, bandwidth, timeouts);
    }

    /** The same with another maximum downtime; as {@link Convergence#withMaxDowntime}. */
    public MigrationRequest withMaxDowntime(Duration allowed) {
        return withConvergence(convergence.withMaxDowntime(allowed));
    }

    /** The same with other rules for the switchover. */
    public MigrationRequest withConvergence(Convergence rules) {
        return new MigrationRequest(devices, guests, preCopy, dryRun, rules, bandwidth, timeouts);
    }

    /** The same with another limit of what is carried. */
    public MigrationRequest withBandwidth(Bandwidth limit) {
        return new MigrationRequest(devices, guests, preCopy, dryRun, convergence, limit, timeouts);
    }

    /** The same with another time in total. */
    public MigrationRequest withTimeout(Duration allowed) {
        return withTimeouts(timeouts.withTotal(allowed));
    }

    /** The same with other times. */
    public MigrationRequest withTimeouts(Timeouts allowed) {
        return new MigrationRequest(devices, guests, preCopy, dryRun, convergence, bandwidth, allowed);
    }
}
