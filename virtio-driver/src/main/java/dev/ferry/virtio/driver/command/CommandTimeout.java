// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

/** The time that one admin command may take, as configured now. Thread-safe. */
public final class CommandTimeout extends ConfiguredMillis {

    /** Unless configured. */
    public static final long DEFAULT_MILLIS = 5_000;

    /** No device behind a bus answers reliably in less. */
    public static final long LEAST_MILLIS = 10;

    /** A migration must not wait for longer than a minute for one command. */
    public static final long MOST_MILLIS = 60_000;

    /** The default time; what is configured comes from the configuration of a PID. */
    public CommandTimeout(String pid) {
        super(pid, "command.timeout.millis", DEFAULT_MILLIS, LEAST_MILLIS, MOST_MILLIS);
    }
}
