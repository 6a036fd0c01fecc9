// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A time in milliseconds, as configured now: an invalid value is logged and the last good one stays. Thread-safe. */
class ConfiguredMillis {
    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredMillis.class);

    private final String key;
    private final long least;
    private final long most;
    private volatile long millis;

    ConfiguredMillis(String key, long initial, long least, long most) {
        this.key = key;
        this.millis = initial;
        this.least = least;
        this.most = most;
    }

    /** Takes the time from a configuration; a value that is no number is logged and changes nothing. */
    final void configure(LongSupplier configuration) {
        long configured;
        try {
            configured = configuration.getAsLong();
        } catch (RuntimeException e) { // Declarative Services throws from the getter what it could not convert
            LOG.error("configuration {}: {} is not a number; {} stays in force: {}",
                    ProviderConfiguration.PID, key, millis, e.getMessage());
            return;
        }
        configure(configured);
    }

    /** Sets the time, in milliseconds; an invalid value is logged and changes nothing. */
    final void configure(long configured) {
        if (configured < least || configured > most) {
            LOG.error("configuration {}: {} must be {} to {} but is {}; {} stays in force",
                    ProviderConfiguration.PID, key, least, most, configured, millis);
            return;
        }
        millis = configured;
    }

    final long millis() {
        return millis;
    }

    final long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
