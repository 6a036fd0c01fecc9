// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandRun;
import dev.ferry.migration.MigrationService;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The commands that use one device or two: check, state, save and restore. Thread-safe. */
@Component(
        service = MigrationCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=check",
            "osgi.command.function=state",
            "osgi.command.function=save",
            "osgi.command.function=restore",
            "ferry.command.summary=check:" + CheckCommand.SUMMARY,
            "ferry.command.summary=state:" + StateCommand.SUMMARY,
            "ferry.command.summary=save:" + SaveCommand.SUMMARY,
            "ferry.command.summary=restore:" + RestoreCommand.SUMMARY,
            "ferry.command.devices=check",
            "ferry.command.devices=state",
            "ferry.command.devices=save",
            "ferry.command.devices=restore"
        })
public final class MigrationCommands {

    // Dynamic and optional: the commands are there, with a clear answer, also while the service is not.
    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile MigrationService migrations;

    /** Command {@code check}. */
    public void check(String... arguments) {
        CommandRun.of(new CheckCommand(this::service), arguments);
    }

    /** Command {@code state}. */
    public void state(String... arguments) {
        CommandRun.of(new StateCommand(this::service), arguments);
    }

    /** Command {@code save}. */
    public void save(String... arguments) {
        CommandRun.of(new SaveCommand(this::service), arguments);
    }

    /** Command {@code restore}. */
    public void restore(String... arguments) {
        CommandRun.of(new RestoreCommand(this::service), arguments);
    }

    private MigrationService service() throws CommandFailedException {
        return Missing.unlessThere(migrations, "migration service", "dev.ferry.fsm.core");
    }
}
