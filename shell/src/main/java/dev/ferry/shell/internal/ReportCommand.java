// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.ReportDocument;
import dev.ferry.cli.ReportText;
import dev.ferry.cli.TextTable;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationService;
import java.time.temporal.ChronoUnit;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** What migrations that have ended did. */
@Command(name = "report", description = ReportCommand.SUMMARY)
final class ReportCommand extends FerryCommand {

    static final String SUMMARY = "How a migration went: downtime by step, planned and actual, and why; or a list.";

    /** Who asks in a process of its own, as a command line does, asks one that has never migrated anything. */
    private static final String NONE = "this process has finished no migration yet, and only the process that "
            + "ran one keeps its report; `ferry -c \"migrate SOURCE DESTINATION; report\"` does both in one";

    private final Service<MigrationService> migrations;

    @Parameters(
            index = "0",
            paramLabel = "MIGRATION",
            arity = "0..1",
            description = "Its id; without one, all that have ended and are still kept.")
    private String id;

    ReportCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        MigrationService service = migrations.get();
        if (id == null) {
            return list(service.reports());
        }
        // Asked in this order: one that ends meanwhile is found by the second question.
        boolean underWay = service.migrations().stream().anyMatch(migration -> migration.id().equals(id));
        MigrationReport report = service.report(id).orElse(null);
        if (report == null) {
            throw noReport(underWay);
        }
        String why = report.failure()
                .map(failure -> Reports.sentences(failure.message(), report))
                .map(sentences -> "\n" + String.join("\n", sentences) + "\n")
                .orElse("");
        return CommandResult.done(ReportDocument.of(report), ReportText.of(report) + why);
    }

    private CommandFailedException noReport(boolean underWay) {
        return underWay
                ? new CommandFailedException(
                        FailureCode.DEVICE_BUSY, id + " has not ended; `jobs` shows how far it is, `jobs --wait` waits")
                : Jobs.unknown(id);
    }

    private static CommandResult list(List<MigrationReport> reports) {
        JsonArray documents = new JsonArray();
        TextTable table =
                new TextTable("MIGRATION", "STARTED", "RESULT", "DEVICES", "DOWNTIME MS", "TOTAL MS", "REASON");
        for (MigrationReport report : reports) {
            documents.add(ReportDocument.of(report));
            table.row(
                    report.migration(),
                    report.started().truncatedTo(ChronoUnit.SECONDS).toString(),
                    report.result().name() + (report.dryRun() ? " (dry run)" : ""),
                    devices(report),
                    ReportText.millis(report.downtime()),
                    ReportText.millis(report.total()),
                    report.failure().map(failure -> failure.code().name()).orElse("-"));
        }
        JsonObject document = new JsonObject();
        document.add("reports", documents);
        return CommandResult.done(document, reports.isEmpty() ? NONE : table.toString());
    }

    private static String devices(MigrationReport report) {
        int more = report.devices().size() - 1;
        return report.source() + " to " + report.destination() + (more > 0 ? " and %d more".formatted(more) : "");
    }
}
