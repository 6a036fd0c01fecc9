// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The time that one admin command may take, as configured now. Thread-safe. */
final class CommandTimeout {
    private static final Logger LOG = LoggerFactory.getLogger(CommandTimeout.class);

    private volatile long millis = ProviderConfiguration.DEFAULT_COMMAND_TIMEOUT_MILLIS;

    /** Takes the time from a configuration; a value that is no number is logged and changes nothing. */
    void configure(LongSupplier configuration) {
        long configured;
        try {
            configured = configuration.getAsLong();
        } catch (RuntimeException e) { // Declarative Services throws from the getter what it could not convert
            LOG.error(
                    "configuration {}: command.timeout.millis is not a number; {} stays in force: {}",
                    ProviderConfiguration.PID,
                    millis,
                    e.getMessage());
            return;
        }
        configure(configured);
    }

    /** Sets the time, in milliseconds; an invalid value is logged and changes nothing. */
    void configure(long configured) {
        if (configured < ProviderConfiguration.LEAST_COMMAND_TIMEOUT_MILLIS
                || configured > ProviderConfiguration.MOST_COMMAND_TIMEOUT_MILLIS) {
            LOG.error(
                    "configuration {}: command.timeout.millis must be {} to {} but is {}; {} stays in force",
                    ProviderConfiguration.PID,
                    ProviderConfiguration.LEAST_COMMAND_TIMEOUT_MILLIS,
                    ProviderConfiguration.MOST_COMMAND_TIMEOUT_MILLIS,
                    configured,
                    millis);
            return;
        }
        millis = configured;
    }

    long millis() {
        return millis;
    }

    long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
