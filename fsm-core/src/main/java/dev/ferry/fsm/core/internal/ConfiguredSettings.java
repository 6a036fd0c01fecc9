// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.fsm.core.internal.migration.Settings;
import java.time.Duration;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a configuration; a value that is wrong is logged and the last good one stays. Confined to its component. */
final class ConfiguredSettings {

    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredSettings.class);
    private static final int BYTES_PER_KIB = 1024;
    private static final long BYTES_PER_MIB = 1024 * 1024;

    private final Value drainTimeoutSeconds =
            new Value("drain.timeout.seconds", Bounds.LEAST_DRAIN, Bounds.MOST_DRAIN, Bounds.DEFAULT_DRAIN);
    private final Value chunkKib =
            new Value("chunk.kib", Bounds.LEAST_CHUNK, Bounds.MOST_CHUNK, Bounds.DEFAULT_CHUNK);
    private final Value spoolMemoryMib = new Value(
            "spool.memory.mib", Bounds.LEAST_SPOOL_MEMORY, Bounds.MOST_SPOOL_MEMORY, Bounds.DEFAULT_SPOOL_MEMORY);
    private final Value spoolFileMib =
            new Value("spool.file.mib", Bounds.LEAST_SPOOL_FILE, Bounds.MOST_SPOOL_FILE, Bounds.DEFAULT_SPOOL_FILE);
    private final Value parallelMigrations =
            new Value("parallel.migrations", Bounds.LEAST_PARALLEL, Bounds.MOST_PARALLEL, Bounds.DEFAULT_PARALLEL);
    private final Value outgoingPerHost =
            new Value("outgoing.per.host", Bounds.LEAST_OUTGOING, Bounds.MOST_OUTGOING, Bounds.DEFAULT_OUTGOING);
    private final Value incomingPerHost =
            new Value("incoming.per.host", Bounds.LEAST_INCOMING, Bounds.MOST_INCOMING, Bounds.DEFAULT_INCOMING);
    private final Value transferThreads =
            new Value("transfer.threads", Bounds.LEAST_THREADS, Bounds.MOST_THREADS, Bounds.DEFAULT_THREADS);
    private final Value bitmapMib =
            new Value("bitmap.mib", Bounds.LEAST_BITMAP, Bounds.MOST_BITMAP, Bounds.DEFAULT_BITMAP);
    private final Value reportsKept =
            new Value("reports.kept", Bounds.LEAST_REPORTS, Bounds.MOST_REPORTS, Bounds.DEFAULT_REPORTS);

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

    /** One number with its bounds and its last good value. */
    private static final class Value {
        private final String key;
        private final int least;
        private final int most;
        private int good;

        Value(String key, int least, int most, int initial) {
            this.key = key;
            this.least = least;
            this.most = most;
            this.good = initial;
        }

        int update(IntSupplier configured) {
            try {
                int value = configured.getAsInt();
                if (value < least || value > most) {
                    LOG.error(
                            "{}: {} must be {} to {}, not {}; it stays {}",
                            Configuration.PID, key, least, most, value, good);
                } else {
                    good = value;
                }
            } catch (RuntimeException e) {
                // Declarative Services throws from the getter what it could not convert.
                LOG.error("{}: {} is not a number; it stays {}: {}", Configuration.PID, key, good, e.getMessage());
            }
            return good;
        }
    }
}
