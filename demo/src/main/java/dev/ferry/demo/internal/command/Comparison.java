// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Json;
import dev.ferry.cli.ReportText;
import dev.ferry.cli.TextTable;
import dev.ferry.demo.internal.run.DemoReport;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * The same demonstration without pre-copy and with it, one after the other.
 *
 * @param latency of the VFs
 */
record Comparison(String latency, DemoReport without, DemoReport with) {

    private static final double PERCENT = 100;

    CommandResult result() {
        Optional<String> failure = without.failure().or(with::failure);
        return new CommandResult(json(failure), text(), failure);
    }

    private JsonObject json(Optional<String> failure) {
        JsonObject document = new JsonObject();
        document.addProperty("result", failure.isEmpty() ? "COMPLETED" : "FAILED");
        document.addProperty("latency", latency);
        double downtime = change(without.migration().downtime(), with.migration().downtime());
        document.addProperty("downtimeLessPercent", downtime == 0 ? 0 : -downtime);
        document.addProperty("totalMorePercent", change(without.migration().total(), with.migration().total()));
        document.add("withoutPreCopy", DemoDocument.json(without));
        document.add("withPreCopy", DemoDocument.json(with));
        DemoDocument.error(without).or(() -> DemoDocument.error(with)).ifPresent(error -> document.add("error", error));
        return document;
    }

    private String text() {
        TextTable table = new TextTable(latency, "WITHOUT PRE-COPY", "WITH PRE-COPY", "");
        row(table, "downtime, ms", without.migration().downtime(), with.migration().downtime());
        row(table, "total, ms", without.migration().total(), with.migration().total());
        return "Without pre-copy:\n\n" + DemoDocument.text(without) + "\nWith pre-copy:\n\n" + DemoDocument.text(with)
                + "\n" + table;
    }

    private static void row(TextTable table, String name, Duration before, Duration after) {
        table.row(
                name,
                ReportText.millis(before),
                ReportText.millis(after),
                String.format(Locale.ROOT, "%+.1f %%", change(before, after)));
    }

    /** Percent by which the second is more than the first, with one decimal; 0 where the first was nothing. */
    static double change(Duration before, Duration after) {
        double was = Json.millis(before);
        return was == 0 ? 0 : Math.round((Json.millis(after) - was) / was * PERCENT * 10) / 10.0;
    }
}
