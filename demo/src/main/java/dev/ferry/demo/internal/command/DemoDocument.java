// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.Amounts;
import dev.ferry.cli.Errors;
import dev.ferry.cli.Json;
import dev.ferry.cli.PlanForm;
import dev.ferry.cli.ReportDocument;
import dev.ferry.cli.ReportText;
import dev.ferry.cli.TextTable;
import dev.ferry.demo.internal.run.DemoReport;
import dev.ferry.demo.internal.run.FrameCounts;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/** A report of a demonstration, for scripts and for people. */
final class DemoDocument {

    private static final String FAILED = "FAILED";

    private DemoDocument() {}

    static JsonObject json(DemoReport report) {
        MigrationReport migration = report.migration();
        JsonObject document = new JsonObject();
        document.addProperty("result", report.isSuccess() ? migration.result().name() : FAILED);
        document.addProperty("source", migration.source());
        document.addProperty("destination", migration.destination());
        document.add("frames", frames(report.frames()));
        document.add("framesBySide", framesBySide(report.frames()));
        document.addProperty("framesWaited", report.waited());
        document.add("vfs", vfs(report));
        document.addProperty("downtimeMillis", Json.millis(migration.downtime()));
        document.addProperty("totalMillis", Json.millis(migration.total()));
        document.addProperty("stateBytes", migration.stateBytes());
        document.addProperty("memoryBytes", migration.memoryBytes());
        document.add("plan", PlanForm.document(report.plan()));
        ReportDocument.addCourse(document, migration);
        error(report).ifPresent(error -> document.add("error", error));
        return document;
    }

    /** Why it failed; empty when it did not. */
    static Optional<JsonObject> error(DemoReport report) {
        return report.failure().map(sentence -> {
            Failure first = report.migration().failure().orElseGet(() -> Failure.of(codeOf(report), sentence));
            return Errors.document(new Failure(
                    first.code(), first.phase(), first.device(), first.errno(), first.message(), report.following()));
        });
    }

    private static FailureCode codeOf(DemoReport report) {
        if (report.guestFailure().isPresent()) {
            return FailureCode.GUEST_FAILED;
        }
        return report.frames().isFlawless() ? FailureCode.IO_FAILED : FailureCode.DEVICE_FAILED;
    }

    private static JsonArray vfs(DemoReport report) {
        JsonArray vfs = new JsonArray();
        for (DemoReport.Flow flow : report.flows()) {
            JsonObject vf = new JsonObject();
            vf.addProperty("source", flow.source());
            vf.addProperty("destination", flow.destination());
            vf.add("frames", frames(flow.frames()));
            vf.addProperty("framesWaited", flow.waited());
            vfs.add(vf);
        }
        return vfs;
    }

    private static JsonObject frames(FrameCounts counts) {
        JsonObject frames = new JsonObject();
        frames.addProperty("sent", counts.sent());
        frames.addProperty("received", counts.received());
        frames.addProperty("lost", counts.lost());
        frames.addProperty("duplicated", counts.duplicated());
        frames.addProperty("reordered", counts.reordered());
        frames.addProperty("changed", counts.foreign());
        return frames;
    }

    private static JsonObject framesBySide(FrameCounts counts) {
        JsonObject sides = new JsonObject();
        sides.addProperty("source", counts.atSource());
        sides.addProperty("destination", counts.atDestination());
        return sides;
    }

    static String text(DemoReport report) {
        MigrationReport migration = report.migration();
        FrameCounts frames = report.frames();
        TextTable table = new TextTable("", "");
        report.flows().forEach(flow -> table.row(flow.source(), "to " + flow.destination()));
        table.row("traffic", report.traffic() + (report.flows().size() > 1 ? " through each" : ""))
                .row("", "")
                .row("frames sent", number(frames.sent()))
                .row("  received", number(frames.received()))
                .row("  lost", number(frames.lost()))
                .row("  duplicated", number(frames.duplicated()))
                .row("  reordered", number(frames.reordered()))
                .row("  changed", number(frames.foreign()))
                .row("  out at the source", number(frames.atSource()))
                .row("  out at the destination", number(frames.atDestination()))
                .row("  waited in the switchover", number(report.waited()))
                .row("", "")
                .row("device state", Amounts.bytes(migration.stateBytes()))
                .row("guest memory", Amounts.bytes(migration.memoryBytes()))
                .row("downtime", millis(migration.downtime()))
                .row("total", millis(migration.total()));
        report.recording()
                .filter(recording -> recording.failure().isEmpty())
                .ifPresent(recording -> table.row("recorded in", recording.file().toString()));
        return table.toString().stripLeading() + perVf(report) + ReportText.course(migration) + "\n" + closing(report);
    }

    private static String perVf(DemoReport report) {
        if (report.flows().size() == 1) {
            return "";
        }
        TextTable table =
                new TextTable("FRAMES", "SENT", "RECEIVED", "LOST", "DUPLICATED", "REORDERED", "CHANGED", "WAITED");
        for (DemoReport.Flow flow : report.flows()) {
            FrameCounts frames = flow.frames();
            table.row(
                    flow.source(),
                    number(frames.sent()),
                    number(frames.received()),
                    number(frames.lost()),
                    number(frames.duplicated()),
                    number(frames.reordered()),
                    number(frames.foreign()),
                    number(flow.waited()));
        }
        return "\n" + table;
    }

    private static String closing(DemoReport report) {
        String where = report.migration().result() == MigrationReport.Result.PASSED
                ? "The guest could move to another host and stayed where it is; every frame came out once, in order,"
                : "The guest moved to another host under traffic, and every frame came out once, in order,";
        return report.isSuccess() ? where + " unchanged.\n" : "Failed; standard error says why.\n";
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static String millis(Duration duration) {
        return ReportText.millis(duration) + " ms";
    }
}
