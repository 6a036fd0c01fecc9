// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

/**
 * The phases of a migration, in order. The source owns the device until the end of {@link #COMMIT}, from {@link #START}
 * on the destination does: after a failure in COMMIT or before it the source is brought back.
 */
public enum MigrationPhase {
    /** Findings about both ends are collected; nothing is touched. */
    CHECK,
    /**
     * All devices are reserved for this migration, and places for all their sessions are waited for. Then the ends are
     * compared by what they ask for and take, so it can end with findings as well.
     */
    CONNECT,
    /** The destination is made ready to load: its devices go to RESUMING. */
    SETUP,
    /**
     * Device state and guest memory are carried while the guest runs, in rounds; left out where neither is possible, or
     * the request says so.
     */
    PRE_COPY,
    /** The guest is paused and the source stopped; downtime begins. The rest of state and memory is carried. */
    SWITCHOVER,
    /** The destination takes the last bytes and checks them: its device leaves RESUMING. */
    LOAD,
    /** The destination stands one step before RUNNING, with everything loaded. */
    READY,
    /** Both ends are looked at once more; ownership passes when this ends. A failure or cancel in it is rolled back. */
    COMMIT,
    /** The destination and its guest run; downtime ends. */
    START,
    /** The source is left in STOP and given back. */
    RELEASE
}
