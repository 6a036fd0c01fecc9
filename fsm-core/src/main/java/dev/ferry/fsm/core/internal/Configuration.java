// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.fsm.core.internal.migration.Settings;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration of the bundle, PID {@link #PID}; {@link ConfiguredSettings} checks the {@link Bounds}. */
@ObjectClassDefinition(name = "Ferry migrations", description = "How devices are migrated, saved and restored.")
@interface Configuration {

    /** The PID. */
    String PID = Settings.PID;

    /** Key {@code drain.timeout.seconds}. */
    @AttributeDefinition(
            name = "Drain timeout (s)",
            description = "How long a leaving driver, or this bundle when it stops, waits for jobs to end in order.",
            min = "" + Bounds.LEAST_DRAIN,
            max = "" + Bounds.MOST_DRAIN)
    int drain_timeout_seconds() default Bounds.DEFAULT_DRAIN;

    /** Key {@code chunk.kib}. */
    @AttributeDefinition(
            name = "Chunk (KiB)",
            description = "Size of the buffers through which the states of devices go.",
            min = "" + Bounds.LEAST_CHUNK,
            max = "" + Bounds.MOST_CHUNK)
    int chunk_kib() default Bounds.DEFAULT_CHUNK;

    /** Key {@code spool.memory.mib}. */
    @AttributeDefinition(
            name = "Spool in memory (MiB)",
            description = "How much of the new state, and of the former one, a restore keeps in memory.",
            min = "" + Bounds.LEAST_SPOOL_MEMORY,
            max = "" + Bounds.MOST_SPOOL_MEMORY)
    int spool_memory_mib() default Bounds.DEFAULT_SPOOL_MEMORY;

    /** Key {@code spool.file.mib}. */
    @AttributeDefinition(
            name = "Spool in a file (MiB)",
            description = "How much more of each of the two states a restore keeps in a temporary file.",
            min = "" + Bounds.LEAST_SPOOL_FILE,
            max = "" + Bounds.MOST_SPOOL_FILE)
    int spool_file_mib() default Bounds.DEFAULT_SPOOL_FILE;

    /** Key {@code parallel.migrations}. */
    @AttributeDefinition(
            name = "Parallel migrations",
            description = "How many migrations run at a time; more wait for their turn.",
            min = "" + Bounds.LEAST_PARALLEL,
            max = "" + Bounds.MOST_PARALLEL)
    int parallel_migrations() default Bounds.DEFAULT_PARALLEL;

    /** Key {@code outgoing.per.host}. */
    @AttributeDefinition(
            name = "Outgoing per host",
            description = "How many migrations leave one host at a time; more wait for their turn.",
            min = "" + Bounds.LEAST_OUTGOING,
            max = "" + Bounds.MOST_OUTGOING)
    int outgoing_per_host() default Bounds.DEFAULT_OUTGOING;

    /** Key {@code incoming.per.host}. */
    @AttributeDefinition(
            name = "Incoming per host",
            description = "How many migrations go to one host at a time; more wait for their turn.",
            min = "" + Bounds.LEAST_INCOMING,
            max = "" + Bounds.MOST_INCOMING)
    int incoming_per_host() default Bounds.DEFAULT_INCOMING;

    /** Key {@code transfer.threads}. */
    @AttributeDefinition(
            name = "Transfer threads",
            description = "How many threads help each migration to work on several devices at a time.",
            min = "" + Bounds.LEAST_THREADS,
            max = "" + Bounds.MOST_THREADS)
    int transfer_threads() default Bounds.DEFAULT_THREADS;

    /** Key {@code bitmap.mib}. */
    @AttributeDefinition(
            name = "Bitmap (MiB)",
            description = "Most memory that one migration takes for the record of written pages.",
            min = "" + Bounds.LEAST_BITMAP,
            max = "" + Bounds.MOST_BITMAP)
    int bitmap_mib() default Bounds.DEFAULT_BITMAP;

    /** Key {@code reports.kept}. */
    @AttributeDefinition(
            name = "Reports kept",
            description = "How many reports of migrations that have ended are kept.",
            min = "" + Bounds.LEAST_REPORTS,
            max = "" + Bounds.MOST_REPORTS)
    int reports_kept() default Bounds.DEFAULT_REPORTS;
}
