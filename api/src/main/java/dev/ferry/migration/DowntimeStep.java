// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.time.Duration;
import java.util.Optional;

/**
 * One step of the downtime, as it was planned when the guest was paused and as it was. Immutable.
 *
 * <p>Of a whole migration the steps follow one another and their sum is the downtime; one that was broken off lasts
 * until then. Devices save and load at the same time: the steps of one device are the times spent on it, and say
 * nothing about those of another.
 *
 * @param step which
 * @param planned empty when there was nothing to go by: no measured rate, no earlier run with this type of device, and
 *     nothing like it in this run before the pause
 * @param actual as measured; zero when it was not reached
 */
public record DowntimeStep(Step step, Optional<Duration> planned, Duration actual) {

    /** The steps, in order. */
    public enum Step {
        /** The guest is paused, the devices are quiesced and stopped. */
        STOP,
        /** The devices give the rest of their state. */
        SAVE,
        /** The rest of state and memory goes to the destination. */
        TRANSFER,
        /** The destination takes it in and checks it. */
        LOAD,
        /** Ownership passes; the devices and the guest start. */
        START,
        /**
         * The way back of a switchover that was broken off, until the devices and the guest run again at the source.
         * Never planned, and in no other report.
         */
        ROLLBACK
    }
}
