// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

/** The time that one admin command may take, as configured now. Thread-safe. */
final class CommandTimeout extends ConfiguredMillis {

    CommandTimeout() {
        super(
                "command.timeout.millis",
                ProviderConfiguration.DEFAULT_COMMAND_TIMEOUT_MILLIS,
                ProviderConfiguration.LEAST_COMMAND_TIMEOUT_MILLIS,
                ProviderConfiguration.MOST_COMMAND_TIMEOUT_MILLIS);
    }
}
