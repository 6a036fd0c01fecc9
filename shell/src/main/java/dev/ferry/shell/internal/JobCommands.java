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

/**
 * The commands that migrate and those about migrations that were started: migrate, jobs, cancel, report. Thread-safe.
 */
@Component(
        service = JobCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=migrate",
            "osgi.command.function=jobs",
            "osgi.command.function=cancel",
            "osgi.command.function=report",
            "ferry.command.summary=migrate:" + MigrateCommand.SUMMARY,
            "ferry.command.summary=jobs:" + JobsCommand.SUMMARY,
            "ferry.command.summary=cancel:" + CancelCommand.SUMMARY,
            "ferry.command.summary=report:" + ReportCommand.SUMMARY,
            "ferry.command.devices=migrate"
        })
public final class JobCommands {

    private final Background background = new Background();

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile MigrationService migrations;

    /** Command {@code migrate}. */
    public void migrate(String... arguments) {
        CommandRun.of(new MigrateCommand(this::service, background), arguments);
    }

    /** Command {@code jobs}. */
    public void jobs(String... arguments) {
        CommandRun.of(new JobsCommand(this::service, background), arguments);
    }

    /** Command {@code cancel}. */
    public void cancel(String... arguments) {
        CommandRun.of(new CancelCommand(this::service), arguments);
    }

    /** Command {@code report}. */
    public void report(String... arguments) {
        CommandRun.of(new ReportCommand(this::service), arguments);
    }

    private MigrationService service() throws CommandFailedException {
        return Missing.unlessThere(migrations, "migration service", "dev.ferry.fsm.core");
    }
}
