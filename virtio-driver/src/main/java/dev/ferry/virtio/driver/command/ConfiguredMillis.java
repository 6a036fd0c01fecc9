// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import dev.ferry.configuration.ConfiguredValue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A time in milliseconds, as configured now: an invalid value is logged and the last good one stays. Thread-safe. */
public class ConfiguredMillis {
    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredMillis.class);

    private final ConfiguredValue<Long> millis;

    /**
     * A time that begins with a default.
     *
     * @param pid of the configuration, for messages
     * @param key in it, for messages
     */
    public ConfiguredMillis(String pid, String key, long initial, long least, long most) {
        millis = ConfiguredValue.between(pid, key, initial, least, most, LOG::error);
    }

    /** Takes the time from a configuration; what is wrong there is logged and changes nothing. */
    public final void configure(LongSupplier configuration) {
        millis.update(configuration::getAsLong);
    }

    /** The time in milliseconds. */
    public final long millis() {
        return millis.get();
    }

    /** The time in nanoseconds. */
    public final long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis());
    }
}
