// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.Errors;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.Json;
import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.TextTable;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.time.Duration;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** One migration between two devices, followed to its end. */
@Command(name = "migrate", description = MigrateCommand.SUMMARY)
final class MigrateCommand extends FerryCommand {

    static final String SUMMARY = "One migration between two devices.";

    /** After the time allowed a migration has to be unwound, or, from COMMIT on, completed. */
    private static final Duration GRACE = Duration.ofSeconds(30);

    private final Service<MigrationService> migrations;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "Id of the device that runs now.")
    private String source;

    @Parameters(index = "1", paramLabel = "DESTINATION", description = "Id of the device that is to run afterwards.")
    private String destination;

    MigrateCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(source);
        Names.requireDevice(destination);
        MigrationRequest request = MigrationRequest.of(source, destination);
        Migration migration = migrations.get().start(request, event -> follow(event, console));
        MigrationReport report = MigrationRun.await(migration, request.timeout().plus(GRACE));
        JsonObject document = document(report);
        String text = text(report);
        if (report.result() == MigrationReport.Result.COMPLETED) {
            return CommandResult.done(document, text);
        }
        Failure failure = report.failure()
                .orElseGet(() -> Failure.of(FailureCode.INTERNAL, "the migration ended without saying why"));
        document.add("error", Errors.document(failure));
        if (failure.code() == FailureCode.CHECK_FAILED) {
            document.add("findings", Findings.document(migrations.get().check(request)));
        }
        return CommandResult.failed(document, text, failure.message());
    }

    @Override
    protected JsonObject failedDocument() {
        return MigrationRun.withoutReport();
    }

    private static void follow(MigrationEvent event, Console console) {
        if (event instanceof MigrationEvent.PhaseStarted started) {
            console.progress(started.phase().name());
        } else if (event instanceof MigrationEvent.ArcTaken taken) {
            console.progress("  %s: %s -> %s"
                    .formatted(taken.device(), taken.arc().from(), taken.arc().to()));
        }
    }

    private static JsonObject document(MigrationReport report) {
        JsonObject document = new JsonObject();
        document.addProperty("result", report.result().name());
        document.addProperty("source", report.source());
        document.addProperty("destination", report.destination());
        document.addProperty("downtimeMillis", Json.millis(report.downtime()));
        document.addProperty("totalMillis", Json.millis(report.total()));
        document.addProperty("stateBytes", report.stateBytes());
        document.addProperty("memoryBytes", report.memoryBytes());
        document.add("phases", MigrationRun.phases(report));
        document.addProperty("sourceState", report.sourceState().map(DeviceState::name).orElse(null));
        document.addProperty("destinationState", report.destinationState().map(DeviceState::name).orElse(null));
        return document;
    }

    private static String text(MigrationReport report) {
        TextTable phases = new TextTable("PHASE", "MILLISECONDS");
        report.phases().forEach(phase -> phases.row(phase.phase().name(), millis(phase.duration())));
        return """
                %s: %s is %s, %s is %s
                downtime %s ms, total %s ms, device state %d bytes

                %s"""
                .formatted(
                        report.result(),
                        report.source(),
                        report.sourceState().map(DeviceState::name).orElse("unknown"),
                        report.destination(),
                        report.destinationState().map(DeviceState::name).orElse("unknown"),
                        millis(report.downtime()),
                        millis(report.total()),
                        report.stateBytes(),
                        phases);
    }

    private static String millis(Duration duration) {
        return String.format(Locale.ROOT, "%.3f", Json.millis(duration));
    }
}
