// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.configuration.ConfiguredValue;
import dev.ferry.fsm.core.internal.migration.Settings;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a configuration; a value that is wrong is logged and the last good one stays. Confined to its component. */
final class ConfiguredSettings {

    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredSettings.class);
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(Configuration.class);
    private static final int BYTES_PER_KIB = 1024;
    private static final long BYTES_PER_MIB = 1024 * 1024;

    private final ConfiguredValue<Integer> drainTimeoutSeconds =
            value("drain.timeout.seconds", Bounds.LEAST_DRAIN, Bounds.MOST_DRAIN, Bounds.DEFAULT_DRAIN);
    private final ConfiguredValue<Integer> chunkKib =
            value("chunk.kib", Bounds.LEAST_CHUNK, Bounds.MOST_CHUNK, Bounds.DEFAULT_CHUNK);
    private final ConfiguredValue<Integer> spoolMemoryMib = value(
            "spool.memory.mib", Bounds.LEAST_SPOOL_MEMORY, Bounds.MOST_SPOOL_MEMORY, Bounds.DEFAULT_SPOOL_MEMORY);
    private final ConfiguredValue<Integer> spoolFileMib =
            value("spool.file.mib", Bounds.LEAST_SPOOL_FILE, Bounds.MOST_SPOOL_FILE, Bounds.DEFAULT_SPOOL_FILE);
    private final ConfiguredValue<Integer> parallelMigrations =
            value("parallel.migrations", Bounds.LEAST_PARALLEL, Bounds.MOST_PARALLEL, Bounds.DEFAULT_PARALLEL);
    private final ConfiguredValue<Integer> outgoingPerHost =
            value("outgoing.per.host", Bounds.LEAST_OUTGOING, Bounds.MOST_OUTGOING, Bounds.DEFAULT_OUTGOING);
    private final ConfiguredValue<Integer> incomingPerHost =
            value("incoming.per.host", Bounds.LEAST_INCOMING, Bounds.MOST_INCOMING, Bounds.DEFAULT_INCOMING);
    private final ConfiguredValue<Integer> transferThreads =
            value("transfer.threads", Bounds.LEAST_THREADS, Bounds.MOST_THREADS, Bounds.DEFAULT_THREADS);
    private final ConfiguredValue<Integer> bitmapMib =
            value("bitmap.mib", Bounds.LEAST_BITMAP, Bounds.MOST_BITMAP, Bounds.DEFAULT_BITMAP);
    private final ConfiguredValue<Integer> reportsKept =
            value("reports.kept", Bounds.LEAST_REPORTS, Bounds.MOST_REPORTS, Bounds.DEFAULT_REPORTS);

    /** Tells which keys of a configuration have no meaning. */
    static void tellUnknown(Map<String, Object> properties) {
        KEYS.tellUnknown(Configuration.PID, properties.keySet(), LOG::warn);
    }

    /** Takes what is right in a configuration. */
    Settings update(Configuration configuration) {
        return new Settings(
                Duration.ofSeconds(drainTimeoutSeconds.update(configuration::drain_timeout_seconds)),
                chunkKib.update(configuration::chunk_kib) * BYTES_PER_KIB,
                spoolMemoryMib.update(configuration::spool_memory_mib) * BYTES_PER_MIB,
                spoolFileMib.update(configuration::spool_file_mib) * BYTES_PER_MIB,
                bitmapMib.update(configuration::bitmap_mib) * BYTES_PER_MIB,
                parallelMigrations.update(configuration::parallel_migrations),
                outgoingPerHost.update(configuration::outgoing_per_host),
                incomingPerHost.update(configuration::incoming_per_host),
                transferThreads.update(configuration::transfer_threads),
                reportsKept.update(configuration::reports_kept));
    }

    private static ConfiguredValue<Integer> value(String key, int least, int most, int initial) {
        return ConfiguredValue.between(Configuration.PID, key, initial, least, most, LOG::error);
    }
}
