// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.Json;
import dev.ferry.cli.TextTable;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

/** Lists devices and owner devices. */
@Command(name = "devices", description = DevicesCommand.SUMMARY)
final class DevicesCommand extends FerryCommand {

    static final String SUMMARY = "Every device that a driver knows, and every owner device.";

    private static final String NONE = "-";

    private final Service<MigrationService> migrations;
    private final Service<List<OwnerDevice>> owners;
    private final DeviceDetails details;

    DevicesCommand(
            Service<MigrationService> migrations, Service<List<OwnerDevice>> owners, DeviceDetails details) {
        this.migrations = migrations;
        this.owners = owners;
        this.details = details;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        List<DeviceDescription> found = migrations.get().devices();
        List<OwnerDevice> foundOwners = owners.get();
        JsonObject document = new JsonObject();
        JsonArray devices = new JsonArray();
        found.forEach(device -> devices.add(document(device)));
        document.add("devices", devices);
        JsonArray ownerDocuments = new JsonArray();
        foundOwners.forEach(owner -> ownerDocuments.add(document(owner)));
        document.add("owners", ownerDocuments);
        return CommandResult.done(document, text(found, foundOwners));
    }

    private JsonObject document(DeviceDescription device) {
        JsonObject document = new JsonObject();
        document.addProperty("id", device.id());
        document.addProperty("type", device.type());
        document.addProperty("host", device.host());
        document.addProperty("owner", device.owner().orElse(null));
        document.addProperty("member", device.member().isPresent() ? device.member().getAsInt() : null);
        document.addProperty("backend", device.backend());
        document.addProperty("state", device.state().map(DeviceState::name).orElse(null));
        document.add("features", Json.names(device.features()));
        document.addProperty("notMigratable", device.notMigratable().orElse(null));
        document.add("details", details.of(device.id()));
        return document;
    }

    private static JsonObject document(OwnerDevice owner) {
        JsonObject document = new JsonObject();
        document.addProperty("id", owner.id());
        document.addProperty("host", owner.host());
        document.addProperty("members", owner.members());
        return document;
    }

    private static String text(List<DeviceDescription> devices, List<OwnerDevice> owners) {
        if (devices.isEmpty() && owners.isEmpty()) {
            return "no devices and no owner devices";
        }
        TextTable table = new TextTable("DEVICE", "TYPE", "HOST", "OWNER", "MEMBER", "BACKEND", "STATE", "FEATURES");
        for (DeviceDescription device : devices) {
            table.row(
                    device.id(),
                    device.type(),
                    device.host(),
                    device.owner().orElse(NONE),
                    device.member().isPresent() ? Integer.toString(device.member().getAsInt()) : NONE,
                    device.backend(),
                    device.state().map(DeviceState::name).orElse("unknown"),
                    device.features().isEmpty() ? NONE : FeatureNames.join(device.features()));
        }
        TextTable ownerTable = new TextTable("OWNER DEVICE", "HOST", "MEMBERS");
        owners.forEach(owner -> ownerTable.row(owner.id(), owner.host(), Integer.toString(owner.members())));
        return table + "\n" + ownerTable + reasons(devices);
    }

    /** One line per reason: mostly all members of an owner device have the same. */
    private static String reasons(List<DeviceDescription> devices) {
        Map<String, List<String>> byReason = new LinkedHashMap<>();
        for (DeviceDescription device : devices) {
            device.notMigratable().ifPresent(reason ->
                    byReason.computeIfAbsent(reason, same -> new ArrayList<>()).add(device.id()));
        }
        StringBuilder text = new StringBuilder();
        byReason.forEach((reason, ids) -> text.append("\nnot migratable: ")
                .append(ids.get(0))
                .append(ids.size() > 1 ? " and %d more".formatted(ids.size() - 1) : "")
                .append(": ")
                .append(reason));
        return text.length() == 0 ? "" : text.append('\n').toString();
    }
}
