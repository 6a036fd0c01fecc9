// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * What to migrate, from where to where, and how. Immutable; begin with {@link #of}.
 *
 * @param source id of the device that runs now
 * @param destination id of the device that is to run afterwards
 * @param preCopy whether to use PRE_COPY where the device can
 * @param guests the guest at both ends; empty for a device that no guest uses
 * @param timeout for the whole migration up to COMMIT; more than zero
 */
public record MigrationRequest(
        String source, String destination, boolean preCopy, Optional<Guests> guests, Duration timeout) {

    /** Used where a request names no time: 60 s. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

    /** The same guest, at the source and at the destination. */
    public record Guests(Guest source, Guest destination) {
        /** Refuses null. */
        public Guests {
            Objects.requireNonNull(source, "source");
            Objects.requireNonNull(destination, "destination");
        }
    }

    /** Refuses null and times that are not positive. */
    public MigrationRequest {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(destination, "destination");
        Objects.requireNonNull(guests, "guests");
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("the timeout must be more than zero: " + timeout);
        }
    }

    /** A migration with pre-copy, without guests, with the default timeout. */
    public static MigrationRequest of(String source, String destination) {
        return new MigrationRequest(source, destination, true, Optional.empty(), DEFAULT_TIMEOUT);
    }

    /** The same with or without pre-copy. */
    public MigrationRequest withPreCopy(boolean use) {
        return new MigrationRequest(source, destination, use, guests, timeout);
    }

    /** The same with the guest that uses the device. */
    public MigrationRequest withGuests(Guest atSource, Guest atDestination) {
        return new MigrationRequest(
                source, destination, preCopy, Optional.of(new Guests(atSource, atDestination)), timeout);
    }

    /** The same with another time. */
    public MigrationRequest withTimeout(Duration allowed) {
        return new MigrationRequest(source, destination, preCopy, guests, allowed);
    }
}
