// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;

/** The size of an image that was just asked for, which saves the next question. Used inside the driver's gate alone. */
public final class KnownSize {

    private static final long UNKNOWN = -1;

    private final Query query;
    private long known = UNKNOWN;

    /** Asks the device. */
    @FunctionalInterface
    public interface Query {
        /** The size now, 1 or more. */
        long ask() throws DeviceException;
    }

    /** Nothing is known yet. */
    public KnownSize(Query query) {
        this.query = query;
    }

    /** What is known, which is forgotten then; else what the device says now. */
    public long take() throws DeviceException {
        long size = known;
        known = UNKNOWN;
        return size == UNKNOWN ? query.ask() : size;
    }

    /** What the device says now; known from then on. */
    public long refresh() throws DeviceException {
        known = query.ask();
        return known;
    }

    /** Nothing is known any more. */
    public void forget() {
        known = UNKNOWN;
    }
}
