// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import java.time.Duration;

/**
 * What can be configured, within its bounds. Immutable.
 *
 * @param drainTimeout how long a driver that leaves, and the bundle that stops, wait for jobs to put devices in order
 * @param chunkBytes size of the buffer that device data go through, in bytes
 * @param spoolMemoryBytes how much of a device's former state a restore keeps in memory, in bytes
 * @param spoolFileBytes how much more of it goes to a temporary file, in bytes
 * @param parallelMigrations how many migrations run at a time; more wait for their turn
 */
public record Settings(
        Duration drainTimeout, int chunkBytes, long spoolMemoryBytes, long spoolFileBytes, int parallelMigrations) {}
