// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.Errors;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.ReplacedFile;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationService;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Writes the state of one device to a file, which is replaced when there is one; never leaves half a file. */
@Command(
        name = "save",
        description = {SaveCommand.SUMMARY, "A file of this name is replaced, once all was written."})
final class SaveCommand extends FerryCommand {

    static final String SUMMARY = "Device state to a file; the device is RUNNING again afterwards.";

    private final Service<MigrationService> migrations;

    @Parameters(index = "0", paramLabel = "DEVICE", description = "Id of the device, which must be RUNNING.")
    private String device;

    @Parameters(index = "1", paramLabel = "FILE", description = "Where to write its state.")
    private Path file;

    SaveCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(device);
        MigrationService service = migrations.get();
        long bytes;
        Names.requireFile(file);
        try (ReplacedFile target = ReplacedFile.open(file)) {
            bytes = service.save(device, target.channel());
            target.commit();
        } catch (MigrationException e) {
            throw ofFile(e) ? Failures.retold(e, "cannot use %s: %s".formatted(file, said(e))) : e;
        }
        JsonObject document = new JsonObject();
        document.addProperty("device", device);
        document.addProperty("file", file.toString());
        document.addProperty("bytes", bytes);
        return CommandResult.done(document, "saved " + bytes + " bytes of " + device + " to " + file);
    }

    private static String said(MigrationException error) {
        return Errors.sentence(error.failure()).replaceFirst("\\.$", "");
    }

    private static boolean ofFile(MigrationException error) {
        return error.failure().code() == FailureCode.IO_FAILED;
    }
}
