// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.FindingsForm;
import dev.ferry.cli.MigrationOptions;
import dev.ferry.cli.PlanForm;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Whether devices could be migrated to others, and how, without doing it. */
@Command(name = "check", description = CheckCommand.SUMMARY)
final class CheckCommand extends FerryCommand {

    static final String SUMMARY = "What prevents a migration, or what it would cost; disturbs neither end.";

    private final Service<MigrationService> migrations;

    @Mixin
    private DeviceLists devices;

    @Mixin
    private MigrationOptions options;

    CheckCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        MigrationRequest request = options.applyTo(devices.request());
        MigrationPlan plan = migrations.get().plan(request);
        List<Finding> findings = plan.findings();
        JsonObject document = new JsonObject();
        document.addProperty("source", devices.source());
        document.addProperty("destination", devices.destination());
        document.add("findings", FindingsForm.document(findings));
        if (findings.isEmpty()) {
            document.add("plan", PlanForm.document(plan));
            return CommandResult.done(
                    document, "no findings: the migration can start\n" + PlanForm.text(plan, request));
        }
        return CommandResult.failed(
                document,
                FindingsForm.text(findings),
                findings.size() == 1
                        ? "1 finding prevents the migration"
                        : findings.size() + " findings prevent the migration");
    }
}
