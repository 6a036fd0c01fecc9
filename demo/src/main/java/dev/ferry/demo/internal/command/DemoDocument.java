// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import com.google.gson.JsonObject;
import dev.ferry.cli.Errors;
import dev.ferry.cli.Json;
import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.TextTable;
import dev.ferry.demo.internal.run.DemoReport;
import dev.ferry.demo.internal.run.FrameCounts;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.Locale;

/** A report of a demonstration, for scripts and for people. */
final class DemoDocument {

    private static final String COMPLETED = "COMPLETED";
    private static final String FAILED = "FAILED";

    private DemoDocument() {}

    static JsonObject json(DemoReport report) {
        MigrationReport migration = report.migration();
        JsonObject document = new JsonObject();
        document.addProperty("result", report.isSuccess() ? COMPLETED : FAILED);
        document.addProperty("source", migration.source());
        document.addProperty("destination", migration.destination());
        document.add("frames", frames(report.frames()));
        document.add("framesBySide", framesBySide(report.frames()));
        document.addProperty("framesWaited", report.waited());
        document.addProperty("downtimeMillis", Json.millis(migration.downtime()));
        document.addProperty("totalMillis", Json.millis(migration.total()));
        document.addProperty("stateBytes", migration.stateBytes());
        document.addProperty("memoryBytes", migration.memoryBytes());
        document.add("phases", MigrationRun.phases(migration));
        report.failure().ifPresent(sentence -> document.add("error", Errors.document(migration.failure()
                .orElseGet(() -> Failure.of(codeOf(report), sentence)))));
        return document;
    }

    private static FailureCode codeOf(DemoReport report) {
        if (report.guestFailure().isPresent()) {
            return FailureCode.GUEST_FAILED;
        }
        return report.frames().isFlawless() ? FailureCode.IO_FAILED : FailureCode.DEVICE_FAILED;
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
        TextTable table = new TextTable("", "")
                .row("source", migration.source())
                .row("destination", migration.destination())
                .row("traffic", report.traffic())
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
                .row("device state", number(migration.stateBytes()) + " bytes")
                .row("guest memory", number(migration.memoryBytes()) + " bytes")
                .row("downtime", millis(migration.downtime()))
                .row("total", millis(migration.total()));
        for (MigrationReport.Phase each : migration.phases()) {
            table.row("  " + each.phase(), millis(each.duration()));
        }
        return table.toString().stripLeading() + "\n" + closing(report);
    }

    private static String closing(DemoReport report) {
        return report.failure()
                .map(sentence -> "Failed: " + sentence + ".\n")
                .orElse("The guest moved to another host under traffic, and every frame came out once, in order,"
                        + " unchanged.\n");
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static String millis(Duration duration) {
        return String.format(Locale.ROOT, "%.3f ms", Json.millis(duration));
    }
}
