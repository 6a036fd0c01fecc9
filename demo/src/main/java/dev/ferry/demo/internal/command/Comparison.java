// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Json;
import dev.ferry.cli.ReportText;
import dev.ferry.cli.TextTable;
import dev.ferry.demo.internal.run.DemoReport;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The same demonstration without pre-copy and with it, one after the other.
 *
 * @param latency of the VFs
 */
record Comparison(String latency, DemoReport without, DemoReport with) {

    private static final double PERCENT = 100;

    CommandResult result() {
        List<String> complaints = Stream.concat(
                        complaints("without pre-copy: ", without), complaints("with pre-copy: ", with))
                .toList();
        return new CommandResult(json(complaints.isEmpty()), text(), complaints);
    }

    private static Stream<String> complaints(String which, DemoReport report) {
        List<String> all = report.complaints();
        return Stream.concat(all.stream().limit(1).map(first -> which + first), all.stream().skip(1));
    }

    private JsonObject json(boolean success) {
        JsonObject document = new JsonObject();
        document.addProperty("result", success ? with.migration().result().name() : "FAILED");
        document.addProperty("latency", latency);
        document.addProperty(
                "downtimeLessPercent",
                change(MigrationReport::downtime).map(change -> change == 0 ? 0 : -change).orElse(null));
        document.addProperty("totalMorePercent", change(MigrationReport::total).orElse(null));
        document.add("withoutPreCopy", DemoDocument.json(without));
        document.add("withPreCopy", DemoDocument.json(with));
        DemoDocument.error(without).or(() -> DemoDocument.error(with)).ifPresent(error -> document.add("error", error));
        return document;
    }

    private String text() {
        TextTable table = new TextTable(latency, "WITHOUT PRE-COPY", "WITH PRE-COPY", "");
        row(table, "downtime, ms", MigrationReport::downtime);
        row(table, "total, ms", MigrationReport::total);
        return "Without pre-copy:\n\n" + DemoDocument.text(without) + "\nWith pre-copy:\n\n" + DemoDocument.text(with)
                + "\n" + table;
    }

    private void row(TextTable table, String name, Function<MigrationReport, Duration> figure) {
        table.row(
                name,
                ReportText.millis(figure.apply(without.migration())),
                ReportText.millis(figure.apply(with.migration())),
                change(figure).map(change -> String.format(Locale.ROOT, "%+.1f %%", change)).orElse("-"));
    }

    // A dry run has no downtime, and one that failed no whole time: only what went all the way can be compared.
    private Optional<Double> change(Function<MigrationReport, Duration> figure) {
        return Stream.of(without, with).allMatch(report -> report.migration().result() == Result.COMPLETED)
                ? Optional.of(change(figure.apply(without.migration()), figure.apply(with.migration())))
                : Optional.empty();
    }

    /** Percent by which the second is more than the first, with one decimal; 0 where the first was nothing. */
    static double change(Duration before, Duration after) {
        double was = Json.millis(before);
        return was == 0 ? 0 : Math.round((Json.millis(after) - was) / was * PERCENT * 10) / 10.0;
    }
}
