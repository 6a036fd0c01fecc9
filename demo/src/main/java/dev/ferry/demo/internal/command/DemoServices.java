// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationService;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * What a demonstration uses.
 *
 * @param adapters those there are at the moment it is asked
 * @param outcomes what became of configurations, at the moment it is asked
 * @param configurationAdmin empty while there is none
 */
record DemoServices(
        MigrationService service,
        Supplier<List<EmulatedAdapter>> adapters,
        Supplier<List<ConfigurationOutcome>> outcomes,
        Optional<ConfigurationAdmin> configurationAdmin,
        OneAtATime oneAtATime) {

    /** What makes emulated hosts. */
    ConfigurationAdmin configurations() throws CommandFailedException {
        return configurationAdmin.orElseThrow(() -> new CommandFailedException(
                FailureCode.PROVIDER_GONE,
                "the demo needs Configuration Admin to make emulated hosts of its own, and it is not there"));
    }
}
