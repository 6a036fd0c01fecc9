// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.util.Objects;

/**
 * One device of a migration: where it runs now and where it is to run. Immutable.
 *
 * @param source id of the device that runs now
 * @param destination id of the device that is to run afterwards
 */
public record DevicePair(String source, String destination) {

    /** Refuses null. */
    public DevicePair {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(destination, "destination");
    }

    @Override
    public String toString() {
        return source + " to " + destination;
    }
}
