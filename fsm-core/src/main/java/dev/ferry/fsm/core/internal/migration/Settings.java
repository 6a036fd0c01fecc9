// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import java.time.Duration;

/**
 * What can be configured, within its bounds. Immutable.
 *
 * @param drainTimeout how long a driver that leaves, and the bundle that stops, wait for jobs to put devices in order
 * @param chunkBytes size of the buffers that device data go through, in bytes
 * @param spoolMemoryBytes how much of a state a restore keeps in memory, in bytes
 * @param spoolFileBytes how much more of it goes to a temporary file, in bytes
 * @param bitmapBytes most memory that one migration takes for the record of written pages, in bytes
 * @param parallelMigrations how many migrations run at a time; more wait for their turn
 * @param outgoingPerHost how many of them from one host
 * @param incomingPerHost how many of them to one host
 * @param transferThreads how many threads help one migration to work on several devices, and the memory, at a time
 * @param reportsKept how many reports of migrations that have ended are kept
 */
public record Settings(
        Duration drainTimeout,
        int chunkBytes,
        long spoolMemoryBytes,
        long spoolFileBytes,
        long bitmapBytes,
        int parallelMigrations,
        int outgoingPerHost,
        int incomingPerHost,
        int transferThreads,
        int reportsKept) {

    /** Of the configuration. */
    public static final String PID = "dev.ferry.fsm.core";

    /** How many pieces of work one migration does at a time: its own thread works too. */
    public int threadsOfMigration() {
        return transferThreads + 1;
    }
}
