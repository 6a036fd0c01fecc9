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

    private final Value drainTimeoutSeconds = new Value("drain.timeout.seconds", 1, 300, 10);
    private final Value chunkKib = new Value("chunk.kib", 4, 16 * 1024, 256);
    private final Value spoolMemoryMib = new Value("spool.memory.mib", 0, 1024, 64);
    private final Value spoolFileMib = new Value("spool.file.mib", 0, 1024 * 1024, 16 * 1024);
    private final Value parallelMigrations = new Value("parallel.migrations", 1, 256, 16);
    private final Value outgoingPerHost = new Value("outgoing.per.host", 1, 256, 16);
    private final Value incomingPerHost = new Value("incoming.per.host", 1, 256, 16);
    private final Value transferThreads = new Value("transfer.threads", 1, 256, 64);
    private final Value bitmapMib = new Value("bitmap.mib", 1, 1024, 256);
    private final Value reportsKept = new Value("reports.kept", 1, 10_000, 100);

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
