// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The time that one admin command may take, as configured now. Thread-safe. */
public final class CommandTimeout {
    private static final Logger LOG = LoggerFactory.getLogger(CommandTimeout.class);

    /** Unless configured. */
    public static final long DEFAULT_MILLIS = 5_000;

    /** No device behind a bus answers reliably in less. */
    public static final long LEAST_MILLIS = 10;

    /** A migration must not wait for longer than a minute for one command. */
    public static final long MOST_MILLIS = 60_000;

    private final String pid;
    private volatile long millis = DEFAULT_MILLIS;

    /** The default time; what is configured comes from the configuration of a PID. */
    public CommandTimeout(String pid) {
        this.pid = pid;
    }

    /** Takes the time from a configuration; a value that is no number is logged and changes nothing. */
    public void configure(LongSupplier configuration) {
        long configured;
        try {
            configured = configuration.getAsLong();
        } catch (RuntimeException e) { // Declarative Services throws from the getter what it could not convert
            LOG.error(
                    "configuration {}: command.timeout.millis is not a number; {} stays in force: {}",
                    pid,
                    millis,
                    e.getMessage());
            return;
        }
        configure(configured);
    }

    /** Sets the time, in milliseconds; an invalid value is logged and changes nothing. */
    public void configure(long configured) {
        if (configured < LEAST_MILLIS || configured > MOST_MILLIS) {
            LOG.error(
                    "configuration {}: command.timeout.millis must be {} to {} but is {}; {} stays in force",
                    pid,
                    LEAST_MILLIS,
                    MOST_MILLIS,
                    configured,
                    millis);
            return;
        }
        millis = configured;
    }

    /** The time in milliseconds. */
    public long millis() {
        return millis;
    }

    /** The time in nanoseconds. */
    public long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
