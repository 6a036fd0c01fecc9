// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Whether one device could be migrated to another, without doing it. */
@Command(name = "check", description = CheckCommand.SUMMARY)
final class CheckCommand extends FerryCommand {

    static final String SUMMARY = "What stands against a migration between two devices; disturbs neither.";

    private final Service<MigrationService> migrations;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "Id of the device that runs now.")
    private String source;

    @Parameters(index = "1", paramLabel = "DESTINATION", description = "Id of the device that is to run afterwards.")
    private String destination;

    CheckCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(source);
        Names.requireDevice(destination);
        List<Finding> findings = migrations.get().check(MigrationRequest.of(source, destination));
        JsonObject document = new JsonObject();
        document.addProperty("source", source);
        document.addProperty("destination", destination);
        document.add("findings", Findings.document(findings));
        if (findings.isEmpty()) {
            return CommandResult.done(document, "nothing stands against it");
        }
        return CommandResult.failed(
                document,
                Findings.text(findings),
                findings.size() == 1 ? "1 finding stands against it" : findings.size() + " findings stand against it");
    }
}
