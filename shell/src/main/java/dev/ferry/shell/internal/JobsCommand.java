// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.Amounts;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.Remaining;
import dev.ferry.cli.ReportDocument;
import dev.ferry.cli.ReportOutcome;
import dev.ferry.cli.TextTable;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Range;
import dev.ferry.migration.MigrationProgress.Transfer;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The migrations that have not ended. */
@Command(name = "jobs", description = JobsCommand.SUMMARY)
final class JobsCommand extends FerryCommand {

    static final String SUMMARY = "The migrations under way: phase, progress, time left; or wait for them.";

    /** A little more than a migration may take by itself. */
    private static final Duration WAIT_LIMIT = Duration.ofHours(24);

    private static final String NONE = "-";

    private final Service<MigrationService> migrations;
    private final Background background;

    @Option(
            names = "--wait",
            description = "First wait until all that are under way now have ended. Exit status 1, with the reasons, "
                    + "if one of these, or a background migration that ended before and was not reported yet, failed, "
                    + "or was cancelled and not all is as before.")
    private boolean wait;

    JobsCommand(Service<MigrationService> migrations, Background background) {
        this.migrations = migrations;
        this.background = background;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        MigrationService service = migrations.get();
        List<MigrationReport> failed = wait ? failedOf(awaited(service)) : List.of();
        JsonArray jobs = new JsonArray();
        TextTable table = new TextTable(
                "MIGRATION", "PHASE", "DONE", "CARRIED", "RATE", "REMAINING", "TIME LEFT", "DOWNTIME");
        for (Migration migration : service.migrations()) {
            MigrationProgress progress = migration.progress();
            jobs.add(JobDocument.of(migration, progress));
            rows(table, migration, progress);
        }
        JsonObject document = new JsonObject();
        document.add("jobs", jobs);
        if (wait) {
            document.add("failed", documents(failed));
        }
        String text = jobs.isEmpty() ? "no migrations are under way in this process" : table.toString();
        return failed.isEmpty()
                ? CommandResult.done(document, text)
                : new CommandResult(document, text, failed.stream().flatMap(JobsCommand::sentences).toList());
    }

    private static Stream<String> sentences(MigrationReport failed) {
        String first = "%s is %s: %s".formatted(failed.migration(), failed.result(), Reports.reason(failed));
        return Reports.sentences(first, failed).stream();
    }

    private static JsonArray documents(List<MigrationReport> reports) {
        JsonArray documents = new JsonArray();
        reports.forEach(report -> documents.add(ReportDocument.of(report)));
        return documents;
    }

    /** Those under way, and those of the background that ended before. */
    private List<Migration> awaited(MigrationService service) throws InterruptedException, CommandFailedException {
        List<Migration> all = new ArrayList<>(background.untold());
        Set<String> known = all.stream().map(Migration::id).collect(Collectors.toSet());
        service.migrations().stream().filter(each -> !known.contains(each.id())).forEach(all::add);
        awaitAll(all);
        background.told(all);
        return all;
    }

    private static List<MigrationReport> failedOf(List<Migration> ended) {
        return ended.stream()
                .map(migration -> migration.result().toCompletableFuture().join())
                .filter(report -> !ReportOutcome.isInOrder(report))
                .toList();
    }

    private static void awaitAll(List<Migration> migrations) throws InterruptedException, CommandFailedException {
        CompletableFuture<?>[] ends = migrations.stream()
                .map(migration -> migration.result().toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(ends).get(WAIT_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new CommandFailedException(FailureCode.INTERNAL, "a migration has ended without a report", e);
        } catch (TimeoutException e) {
            throw new CommandFailedException(
                    FailureCode.TIMEOUT, "they have not ended within " + WAIT_LIMIT.toHours() + " h", e);
        }
    }

    private static void rows(TextTable table, Migration migration, MigrationProgress progress) {
        table.row(
                migration.id(),
                progress.waiting() ? "waits for its turn" : phase(migration, progress),
                progress.percent() + " %",
                Amounts.bytes(progress.total().bytes()),
                Amounts.rate(progress.total().bytesPerSecond()),
                Remaining.of(progress).text(),
                timeLeft(progress.timeLeft()),
                downtime(migration, progress));
        for (MigrationProgress.Device device : progress.devices()) {
            row(table, device.source(), device.acknowledged() ? "ready" : NONE, device.transfer(),
                    Remaining.of(device).text(), timeLeft(device.timeLeft()));
        }
        if (!progress.memory().equals(Transfer.NONE)) {
            row(table, "guest memory", NONE, progress.memory(), Amounts.bytes(progress.memory().remainingBytes()),
                    "");
        }
    }

    private static String timeLeft(Optional<Range> range) {
        return range.map(Amounts::range).orElse("unknown");
    }

    private static String phase(Migration migration, MigrationProgress progress) {
        return migration.phase() + (progress.round() > 0 ? " round " + progress.round() : "");
    }

    /** A prediction leaves out what there is nothing to go by for. */
    private static String downtime(Migration migration, MigrationProgress progress) {
        return progress.predictedDowntime().map(time -> "at least " + Amounts.time(time)).orElse("unknown")
                + (migration.request().preCopy() ? " of " + Amounts.time(progress.allowedDowntime()) : ", no limit");
    }

    private static void row(
            TextTable table, String name, String state, Transfer transfer, String remaining, String timeLeft) {
        table.row(
                "  " + name,
                state,
                "",
                Amounts.bytes(transfer.bytes()),
                Amounts.rate(transfer.bytesPerSecond()),
                remaining,
                timeLeft,
                "");
    }
}
