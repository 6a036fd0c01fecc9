// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.Errors;
import dev.ferry.cli.FerryCommand;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationService;
import dev.ferry.stream.StreamException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Loads a saved state into one device. */
@Command(
        name = "restore",
        description = {
            RestoreCommand.SUMMARY,
            "When the file is refused, the device has the state it had again; where that cannot be, an error says so."
        })
final class RestoreCommand extends FerryCommand {

    static final String SUMMARY = "Device state from a file; the device is RUNNING again afterwards.";

    private final Service<MigrationService> migrations;

    @Parameters(index = "0", paramLabel = "FILE", description = "What `save` wrote.")
    private Path file;

    @Parameters(index = "1", paramLabel = "DEVICE", description = "Id of the device, which must be RUNNING.")
    private String device;

    RestoreCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(device);
        MigrationService service = migrations.get();
        long bytes;
        try (FileChannel from = InputFile.open(file)) {
            bytes = service.restore(device, from);
        } catch (MigrationException e) {
            throw withHint(e);
        }
        JsonObject document = new JsonObject();
        document.addProperty("file", file.toString());
        document.addProperty("device", device);
        document.addProperty("bytes", bytes);
        return CommandResult.done(document, "restored " + bytes + " bytes from " + file + " into " + device);
    }

    private MigrationException withHint(MigrationException error) {
        Failure failure = error.failure();
        if (failure.code() != FailureCode.STREAM_REFUSED) {
            return error;
        }
        String why = malformation(error)
                .map(StreamException::getMessage)
                .orElseGet(() -> Errors.sentence(failure))
                .replaceFirst("\\.$", "");
        return Failures.retold(error, "the file %s is refused: %s; %s".formatted(file, why, hint(error)));
    }

    private String hint(MigrationException error) {
        if (!Files.isRegularFile(file)) {
            return "give a file that `ferry save` wrote";
        }
        return malformation(error).isPresent()
                ? "`ferry inspect %s` shows where".formatted(file)
                : "`ferry inspect %s` shows what a device needs to take it: features, queues and their sizes"
                        .formatted(file);
    }

    /** Says what is wrong with the stream itself; what stands around it says only which call found out. */
    private static Optional<StreamException> malformation(Throwable error) {
        return Stream.iterate(error, Objects::nonNull, Throwable::getCause)
                .filter(StreamException.class::isInstance)
                .map(StreamException.class::cast)
                .findFirst();
    }
}
