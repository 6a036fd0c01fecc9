// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The time that one admin command may take, as configured now. Thread-safe. */
final class CommandTimeout {
    private static final Logger LOG = LoggerFactory.getLogger(CommandTimeout.class);

    private volatile long millis = LegacyIoConfiguration.DEFAULT_COMMAND_TIMEOUT_MILLIS;

    /** Takes the time from a configuration; what is no number or out of range is logged and changes nothing. */
    void configure(LongSupplier configuration) {
        String given;
        try {
            long configured = configuration.getAsLong();
            if (configured >= LegacyIoConfiguration.LEAST_COMMAND_TIMEOUT_MILLIS
                    && configured <= LegacyIoConfiguration.MOST_COMMAND_TIMEOUT_MILLIS) {
                millis = configured;
                return;
            }
            given = Long.toString(configured);
        } catch (RuntimeException e) { // Declarative Services throws from the getter what it could not convert
            given = "no number: " + e.getMessage();
        }
        LOG.error(
                "configuration {}: command.timeout.millis must be {} to {} but is {}; {} stays in force",
                LegacyIoConfiguration.PID,
                LegacyIoConfiguration.LEAST_COMMAND_TIMEOUT_MILLIS,
                LegacyIoConfiguration.MOST_COMMAND_TIMEOUT_MILLIS,
                given,
                millis);
    }

    long millis() {
        return millis;
    }

    long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
