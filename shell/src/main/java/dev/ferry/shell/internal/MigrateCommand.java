// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.MigrationOptions;
import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.PlanForm;
import dev.ferry.cli.ProgressDisplay;
import dev.ferry.cli.ReportDocument;
import dev.ferry.cli.ReportText;
import dev.ferry.cli.RunOptions;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One migration of one device or several, followed to its end, or left to run. */
@Command(name = "migrate", description = MigrateCommand.SUMMARY)
final class MigrateCommand extends FerryCommand {

    static final String SUMMARY = "One migration of one device, or of several that one guest uses.";

    /** After the time allowed a migration has to be unwound, or, from COMMIT on, completed. */
    private static final Duration GRACE = Duration.ofSeconds(30);

    private final Service<MigrationService> migrations;
    private final Background background;

    @Mixin
    private DeviceLists devices;

    @Mixin
    private MigrationOptions options;

    @Mixin
    private RunOptions running;

    @Option(
            names = "--background",
            description = "Start it and return at once; follow it with `jobs`, `cancel` and `report`. It is "
                    + "cancelled when the process ends.")
    private boolean inBackground;

    MigrateCommand(Service<MigrationService> migrations, Background background) {
        this.migrations = migrations;
        this.background = background;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        MigrationRequest request = running.applyTo(options.applyTo(devices.request()));
        MigrationService service = migrations.get();
        MigrationPlan plan = service.plan(request);
        if (!running.isQuiet() && plan.findings().isEmpty()) {
            PlanForm.text(plan, request).lines().forEach(console::progress);
        }
        if (inBackground) {
            Migration migration = start(service, request, MigrationListener.NONE);
            background.add(migration);
            return started(migration, plan);
        }
        MigrationReport report = follow(service, request, console);
        JsonObject document = ReportDocument.of(report);
        document.add("plan", PlanForm.document(plan));
        return Reports.result(report, document, ReportText.of(report));
    }

    private MigrationReport follow(MigrationService service, MigrationRequest request, Console console)
            throws Exception {
        Duration limit = request.timeout().plus(GRACE);
        if (running.isQuiet()) {
            return MigrationRun.await(start(service, request, MigrationListener.NONE), limit, line -> {});
        }
        try (ProgressDisplay display = ProgressDisplay.on(console)) {
            return MigrationRun.await(start(service, request, display), limit, display::say);
        }
    }

    private static Migration start(MigrationService service, MigrationRequest request, MigrationListener listener)
            throws CommandFailedException {
        try {
            return service.start(request, listener);
        } catch (IllegalStateException e) {
            throw new CommandFailedException(
                    FailureCode.CANCELLED, "the migration service is being stopped; try again when it is back", e);
        }
    }

    private static CommandResult started(Migration migration, MigrationPlan plan) {
        JsonObject document = new JsonObject();
        document.addProperty("migration", migration.id());
        document.add("plan", PlanForm.document(plan));
        String id = migration.id();
        return CommandResult.done(
                document,
                "%s started, and ends at the latest with this process; `jobs` shows it, `cancel %s` stops it"
                        .formatted(id, id));
    }

    @Override
    protected JsonObject failedDocument() {
        return ReportDocument.withoutReport();
    }
}
