// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.MigrationReport;
import java.util.List;

/** The report of a migration for scripts: the same keys wherever one is printed. */
public final class ReportDocument {

    private ReportDocument() {}

    /** All of it; {@code error} is there when it failed or was cancelled. */
    public static JsonObject of(MigrationReport report) {
        JsonObject document = new JsonObject();
        document.addProperty("migration", report.migration());
        document.addProperty("result", report.result().name());
        document.addProperty("dryRun", report.dryRun());
        document.addProperty("source", report.source());
        document.addProperty("destination", report.destination());
        document.addProperty("started", report.started().toString());
        document.addProperty("downtimeMillis", Json.millis(report.downtime()));
        document.addProperty("totalMillis", Json.millis(report.total()));
        document.addProperty("stateBytes", report.stateBytes());
        document.addProperty("memoryBytes", report.memoryBytes());
        document.addProperty("bufferBytes", report.bufferBytes());
        addCourse(document, report);
        document.addProperty("sourceState", report.sourceState().map(DeviceState::name).orElse(null));
        document.addProperty("destinationState", report.destinationState().map(DeviceState::name).orElse(null));
        document.add("findings", FindingsForm.document(report.findings()));
        report.failure().ifPresent(failure -> document.add("error", Errors.document(failure)));
        return document;
    }

    /** What the document of a command begins with that failed before there was a report. */
    public static JsonObject withoutReport() {
        JsonObject document = new JsonObject();
        document.addProperty("result", MigrationReport.Result.FAILED.name());
        return document;
    }

    /** Adds {@code phases}, {@code steps}, {@code memory}, {@code devices} and {@code decisions}. */
    public static void addCourse(JsonObject document, MigrationReport report) {
        document.add("phases", phases(report.phases()));
        document.add("steps", steps(report.steps()));
        document.add("memory", memory(report.memory()));
        JsonArray devices = new JsonArray();
        report.devices().forEach(device -> devices.add(device(device)));
        document.add("devices", devices);
        JsonArray decisions = new JsonArray();
        report.decisions().forEach(decision -> decisions.add(decision(decision)));
        document.add("decisions", decisions);
    }

    private static JsonArray phases(List<MigrationReport.Phase> phases) {
        JsonArray documents = new JsonArray();
        for (MigrationReport.Phase each : phases) {
            JsonObject phase = new JsonObject();
            phase.addProperty("name", each.phase().name());
            phase.addProperty("millis", Json.millis(each.duration()));
            documents.add(phase);
        }
        return documents;
    }

    private static JsonArray steps(List<DowntimeStep> steps) {
        JsonArray documents = new JsonArray();
        for (DowntimeStep each : steps) {
            JsonObject step = new JsonObject();
            step.addProperty("name", each.step().name());
            step.addProperty("plannedMillis", each.planned().map(Json::millis).orElse(null));
            step.addProperty("actualMillis", Json.millis(each.actual()));
            documents.add(step);
        }
        return documents;
    }

    private static JsonObject memory(MigrationReport.Memory memory) {
        JsonObject document = new JsonObject();
        document.addProperty("totalBytes", memory.totalBytes());
        document.addProperty("preCopyBytes", memory.preCopyBytes());
        document.addProperty("switchoverBytes", memory.switchoverBytes());
        document.addProperty("rounds", memory.rounds());
        return document;
    }

    private static JsonObject device(MigrationReport.Device device) {
        JsonObject document = new JsonObject();
        document.addProperty("source", device.source());
        document.addProperty("destination", device.destination());
        document.addProperty("sourceState", device.sourceState().map(DeviceState::name).orElse(null));
        document.addProperty("destinationState", device.destinationState().map(DeviceState::name).orElse(null));
        document.addProperty("preCopyBytes", device.preCopyBytes());
        document.addProperty("switchoverBytes", device.switchoverBytes());
        document.add("steps", steps(device.steps()));
        return document;
    }

    private static JsonObject decision(Decision decision) {
        JsonObject document = new JsonObject();
        document.addProperty("atMillis", Json.millis(decision.at()));
        document.addProperty("kind", decision.kind().name());
        document.addProperty("message", decision.message());
        return document;
    }
}
