// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.ferry.cli.Json;
import dev.ferry.cli.Remaining;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Range;
import dev.ferry.migration.MigrationProgress.Transfer;
import java.util.List;
import java.util.Optional;

/** A migration that runs, for scripts. */
final class JobDocument {

    private JobDocument() {}

    static JsonObject of(Migration migration, MigrationProgress progress) {
        JsonObject document = new JsonObject();
        document.addProperty("migration", migration.id());
        document.addProperty("phase", migration.phase().name());
        document.addProperty("waiting", progress.waiting());
        document.addProperty("percent", progress.percent());
        document.addProperty("round", progress.round());
        document.add("total", transfer(progress.total(), Remaining.of(progress).known()));
        document.add("memory", transfer(progress.memory(), Optional.of(progress.memory().remainingBytes())));
        document.add("devices", devices(migration.request().devices(), progress.devices()));
        document.addProperty(
                "allowedDowntimeMillis",
                migration.request().preCopy() ? Json.millis(progress.allowedDowntime()) : null);
        document.addProperty(
                "predictedDowntimeMillis", progress.predictedDowntime().map(Json::millis).orElse(null));
        document.add("timeLeft", timeLeft(progress.timeLeft()));
        return document;
    }

    private static JsonArray devices(List<DevicePair> pairs, List<MigrationProgress.Device> devices) {
        JsonArray documents = new JsonArray();
        for (int i = 0; i < devices.size(); i++) {
            JsonObject document = transfer(devices.get(i).transfer(), Remaining.of(devices.get(i)).known());
            document.addProperty("source", pairs.get(i).source());
            document.addProperty("destination", pairs.get(i).destination());
            document.addProperty("acknowledged", devices.get(i).acknowledged());
            document.add("timeLeft", timeLeft(devices.get(i).timeLeft()));
            documents.add(document);
        }
        return documents;
    }

    private static JsonObject transfer(Transfer transfer, Optional<Long> remainingBytes) {
        JsonObject document = new JsonObject();
        document.addProperty("bytes", transfer.bytes());
        document.addProperty("bytesPerSecond", transfer.bytesPerSecond());
        document.addProperty("remainingBytes", remainingBytes.orElse(null));
        return document;
    }

    private static JsonElement timeLeft(Optional<Range> range) {
        return range.<JsonElement>map(JobDocument::range).orElse(JsonNull.INSTANCE);
    }

    private static JsonObject range(Range range) {
        JsonObject document = new JsonObject();
        document.addProperty("atLeastMillis", Json.millis(range.atLeast()));
        document.addProperty("atMostMillis", range.atMost().map(Json::millis).orElse(null));
        return document;
    }
}
