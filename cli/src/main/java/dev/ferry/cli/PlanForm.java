// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationRequest;

/** What a migration would do and cost, for scripts and for people. */
public final class PlanForm {

    private PlanForm() {}

    /** The keys {@code devices}, {@code memory} and {@code plannedDowntimeMillis}; findings are not in it. */
    public static JsonObject document(MigrationPlan plan) {
        JsonObject document = new JsonObject();
        JsonArray devices = new JsonArray();
        plan.devices().forEach(device -> devices.add(document(device)));
        document.add("devices", devices);
        JsonObject memory = new JsonObject();
        memory.addProperty("bytes", plan.memory().bytes());
        memory.addProperty("tracked", plan.memory().tracked());
        memory.addProperty("pageBytes", plan.memory().pageBytes());
        memory.addProperty("bitmapBytes", plan.memory().bitmapBytes());
        memory.addProperty("explanation", plan.memory().explanation());
        document.add("memory", memory);
        document.addProperty("plannedDowntimeMillis", plan.plannedDowntime().map(Json::millis).orElse(null));
        return document;
    }

    private static JsonObject document(MigrationPlan.Device device) {
        JsonObject document = new JsonObject();
        document.addProperty("source", device.pair().source());
        document.addProperty("destination", device.pair().destination());
        document.addProperty("preCopy", device.preCopy());
        document.addProperty("stateBytes", device.stateBytes().isPresent() ? device.stateBytes().getAsLong() : null);
        document.addProperty("tracker", device.tracker().orElse(null));
        return document;
    }

    /** Lines without a heading; the last one is ended. */
    public static String text(MigrationPlan plan, MigrationRequest request) {
        StringBuilder text = new StringBuilder();
        plan.devices().forEach(device -> text.append("%s: %s, %s, written pages known by %s\n".formatted(
                device.pair(),
                device.preCopy() ? "saves while the guest runs" : "saves while the guest is paused",
                device.stateBytes().isPresent()
                        ? Amounts.bytes(device.stateBytes().getAsLong()) + " of state"
                        : "size of its state unknown",
                device.tracker().orElse("nothing"))));
        return text.append("memory: ").append(plan.memory().explanation()).append('\n')
                .append("downtime: %s expected, %s; bandwidth %s; at most %s in total\n".formatted(
                        Amounts.time(plan.plannedDowntime()),
                        request.preCopy() ? allowed(request.convergence()) + " allowed" : "without pre-copy no limit",
                        Amounts.rate(request.bandwidth()),
                        Amounts.time(request.timeout())))
                .toString();
    }

    private static String allowed(Convergence convergence) {
        String allowed = Amounts.time(convergence.maxDowntime());
        return convergence.rampLimit().equals(convergence.maxDowntime())
                ? allowed
                : allowed + " to " + Amounts.time(convergence.rampLimit());
    }
}
