// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A time in milliseconds, as configured now: an invalid value is logged and the last good one stays. Thread-safe. */
public class ConfiguredMillis {
    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredMillis.class);

    private final String pid;
    private final String key;
    private final long least;
    private final long most;
    private volatile long millis;

    /**
     * A time that begins with a default.
     *
     * @param pid of the configuration, for messages
     * @param key in it, for messages
     */
    public ConfiguredMillis(String pid, String key, long initial, long least, long most) {
        this.pid = pid;
        this.key = key;
        this.millis = initial;
        this.least = least;
        this.most = most;
    }

    /** Takes the time from a configuration; a value that is no number is logged and changes nothing. */
    public final void configure(LongSupplier configuration) {
        long configured;
        try {
            configured = configuration.getAsLong();
        } catch (RuntimeException e) { // Declarative Services throws from the getter what it could not convert
            LOG.error("configuration {}: {} is not a number; {} stays in force: {}",
                    pid, key, millis, e.getMessage());
            return;
        }
        configure(configured);
    }

    /** Sets the time, in milliseconds; an invalid value is logged and changes nothing. */
    public final void configure(long configured) {
        if (configured < least || configured > most) {
            LOG.error("configuration {}: {} must be {} to {} but is {}; {} stays in force",
                    pid, key, least, most, configured, millis);
            return;
        }
        millis = configured;
    }

    /** The time in milliseconds. */
    public final long millis() {
        return millis;
    }

    /** The time in nanoseconds. */
    public final long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
