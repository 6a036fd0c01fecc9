// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration of the bundle, PID {@link #PID}; {@link ConfiguredSettings} checks the bounds. */
@ObjectClassDefinition(name = "Ferry migrations", description = "How devices are migrated, saved and restored.")
@interface Configuration {

    /** The PID. */
    String PID = "dev.ferry.fsm.core";

    /** Key {@code drain.timeout.seconds}. */
    @AttributeDefinition(
            name = "Drain timeout (s)",
            description = "How long a leaving driver, or this bundle when it stops, waits for jobs to end in order.",
            min = "1",
            max = "300")
    int drain_timeout_seconds() default 10;

    /** Key {@code chunk.kib}. */
    @AttributeDefinition(
            name = "Chunk (KiB)",
            description = "Size of the buffers through which the states of devices go.",
            min = "4",
            max = "16384")
    int chunk_kib() default 256;

    /** Key {@code spool.memory.mib}. */
    @AttributeDefinition(
            name = "Spool in memory (MiB)",
            description = "How much of a device's former state a restore keeps in memory.",
            min = "0",
            max = "1024")
    int spool_memory_mib() default 64;

    /** Key {@code spool.file.mib}. */
    @AttributeDefinition(
            name = "Spool in a file (MiB)",
            description = "How much more of a device's former state a restore keeps in a temporary file.",
            min = "0",
            max = "1048576")
    int spool_file_mib() default 16384;

    /** Key {@code parallel.migrations}. */
    @AttributeDefinition(
            name = "Parallel migrations",
            description = "How many migrations run at a time; more wait for their turn.",
            min = "1",
            max = "256")
    int parallel_migrations() default 16;

    /** Key {@code outgoing.per.host}. */
    @AttributeDefinition(
            name = "Outgoing per host",
            description = "How many migrations leave one host at a time; more wait for their turn.",
            min = "1",
            max = "256")
    int outgoing_per_host() default 16;

    /** Key {@code incoming.per.host}. */
    @AttributeDefinition(
            name = "Incoming per host",
            description = "How many migrations go to one host at a time; more wait for their turn.",
            min = "1",
            max = "256")
    int incoming_per_host() default 16;

    /** Key {@code transfer.threads}. */
    @AttributeDefinition(
            name = "Transfer threads",
            description = "How many threads help each migration to work on several devices at a time.",
            min = "1",
            max = "256")
    int transfer_threads() default 16;

    /** Key {@code bitmap.mib}. */
    @AttributeDefinition(
            name = "Bitmap (MiB)",
            description = "Most memory that one migration takes for the record of written pages.",
            min = "1",
            max = "1024")
    int bitmap_mib() default 256;

    /** Key {@code reports.kept}. */
    @AttributeDefinition(
            name = "Reports kept",
            description = "How many reports of migrations that have ended are kept.",
            min = "1",
            max = "10000")
    int reports_kept() default 100;
}
