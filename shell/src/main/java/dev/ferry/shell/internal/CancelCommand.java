// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.ReportDocument;
import dev.ferry.cli.ReportOutcome;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationService;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Stops a migration under way and says what became of it. */
@Command(
        name = "cancel",
        description = {
            CancelCommand.SUMMARY,
            "Waits until it has ended. Exit status 0 means that it was cancelled and all is as before; 1 that it had "
                    + "completed first, or that something failed."
        })
final class CancelCommand extends FerryCommand {

    static final String SUMMARY = "Stop a migration, and say whether the source runs again.";

    /** A call of a driver is not interrupted, and the way back takes calls, too. */
    private static final Duration UNWIND_LIMIT = Duration.ofMinutes(1);

    private final Service<MigrationService> migrations;

    @Parameters(index = "0", paramLabel = "MIGRATION", description = "Its id, as `jobs` shows it.")
    private String id;

    CancelCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        MigrationService service = migrations.get();
        Migration migration = service.migrations().stream()
                .filter(each -> each.id().equals(id))
                .findFirst()
                .orElse(null);
        if (migration == null) {
            throw notUnderWay(service);
        }
        boolean told = migration.cancel();
        MigrationReport report = await(migration, told);
        JsonObject document = ReportDocument.of(report);
        return switch (report.result()) {
            case CANCELLED -> cancelled(report, document);
            case FAILED -> new CommandResult(
                    document,
                    "",
                    Reports.sentences(
                            "%s is FAILED, not cancelled: %s; for details: `report %s`"
                                    .formatted(id, Reports.reason(report), id),
                            report));
            case COMPLETED, PASSED -> {
                String came = told ? " had ended before that took effect" : " could not be cancelled any more";
                yield CommandResult.failed(
                        document,
                        "",
                        "%s%s: it is %s; for details: `report %s`".formatted(id, came, report.result(), id));
            }
        };
    }

    private CommandResult cancelled(MigrationReport report, JsonObject document) {
        String text = id + " is cancelled and " + sources(report);
        return ReportOutcome.isInOrder(report)
                ? CommandResult.done(document, text)
                : new CommandResult(document, "", Reports.sentences(text + ", but something else failed", report));
    }

    private static String sources(MigrationReport report) {
        if (report.devices().size() > 1) {
            return "its %d sources run, as before".formatted(report.devices().size());
        }
        return report.source()
                + report.sourceState()
                        .map(state -> " is " + state + ", as before")
                        .orElse(" does not report its state");
    }

    private CommandFailedException notUnderWay(MigrationService service) {
        return service.report(id)
                .map(report -> new CommandFailedException(
                        FailureCode.CANCELLED,
                        "%s has ended already: it is %s; for details: `report %s`".formatted(id, report.result(), id)))
                .orElseGet(() -> Jobs.unknown(id));
    }

    private MigrationReport await(Migration migration, boolean told)
            throws InterruptedException, CommandFailedException {
        try {
            return migration.result().toCompletableFuture().get(UNWIND_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new CommandFailedException(
                    FailureCode.TIMEOUT,
                    "%s %s and has not ended within %d s; it is in %s, and `jobs` follows it".formatted(
                            id, MigrationRun.stopping(told), UNWIND_LIMIT.toSeconds(), migration.phase()),
                    e);
        } catch (ExecutionException e) {
            throw new CommandFailedException(FailureCode.INTERNAL, id + " has ended without a report", e);
        }
    }
}
