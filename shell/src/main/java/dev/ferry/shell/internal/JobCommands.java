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

/** The commands about migrations that were started: jobs, cancel and report. Thread-safe. */
@Component(
        service = JobCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=jobs",
            "osgi.command.function=cancel",
            "osgi.command.function=report",
            "ferry.command.summary=jobs:" + JobsCommand.SUMMARY,
            "ferry.command.summary=cancel:" + CancelCommand.SUMMARY,
            "ferry.command.summary=report:" + ReportCommand.SUMMARY
        })
public final class JobCommands {

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile MigrationService migrations;

    /** Command {@code jobs}. */
    public void jobs(String... arguments) {
        CommandRun.of(new JobsCommand(this::service), arguments);
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
