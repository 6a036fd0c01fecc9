// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.migration.FailureCode;
import dev.ferry.stream.StreamReader;
import dev.ferry.stream.StreamInspection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Decodes a saved stream with the format that recognizes it. */
@Command(
        name = "inspect",
        description = {InspectCommand.SUMMARY, "Exit status 1 for a malformed stream; what was read of it is shown."})
final class InspectCommand extends FerryCommand {

    static final String SUMMARY = "Decodes a saved stream; says where and why it is malformed.";

    /** Enough of a stream's beginning for any format to recognize it. */
    private static final int HEAD_BYTES = 4096;

    private final Service<List<StreamReader>> readers;

    @Parameters(index = "0", paramLabel = "FILE", description = "What `save` wrote.")
    private Path file;

    InspectCommand(Service<List<StreamReader>> readers) {
        this.readers = readers;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        List<StreamReader> there = readers.get();
        if (there.isEmpty()) {
            throw new CommandFailedException(
                    FailureCode.PROVIDER_GONE,
                    "there is no stream format now; start a bundle with one, dev.ferry.stream.virtiovf for example");
        }
        InspectionReport report;
        try (FileChannel from = InputFile.openRegular(file)) {
            report = new InspectionReport(inspect(there, from));
        }
        Optional<StreamInspection.Fault> fault = report.fault();
        return fault.isEmpty()
                ? CommandResult.done(report.document(), report.text())
                : CommandResult.failed(
                        report.document(),
                        report.text(),
                        "%s is malformed at byte %d: %s"
                                .formatted(file, fault.get().offset(), fault.get().message()));
    }

    private static StreamInspection inspect(List<StreamReader> there, FileChannel from) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
        while (head.hasRemaining() && from.read(head, head.position()) > 0) {
            // A short read is not the end.
        }
        head.flip();
        for (StreamReader reader : there) {
            if (reader.recognizes(head.asReadOnlyBuffer())) {
                return reader.inspect(from);
            }
        }
        // The only format there is can say better what is wrong than that it does not know the stream.
        if (there.size() == 1) {
            return there.get(0).inspect(from);
        }
        return new StreamInspection(
                null,
                List.of(),
                Optional.of(new StreamInspection.Fault(
                        0,
                        "no stream format that is known here begins like this; give a file that `ferry save` wrote")));
    }
}
