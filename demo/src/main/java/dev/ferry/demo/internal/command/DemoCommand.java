// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.UsageException;
import dev.ferry.demo.internal.run.DemoReport;
import dev.ferry.demo.internal.run.Demonstration;
import dev.ferry.demo.internal.traffic.CaptureTraffic;
import dev.ferry.demo.internal.traffic.MadeUpTraffic;
import dev.ferry.demo.internal.traffic.Traffic;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.MigrationService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code demo}: one live migration under traffic. */
@Command(name = "demo", description = DemoCommand.SUMMARY)
final class DemoCommand extends FerryCommand {

    static final String SUMMARY =
            "Migrate an emulated VF between two hosts under traffic, and report what became of it.";

    private static final long MADE_UP_FRAMES = 20_000;

    private final MigrationService service;
    private final List<EmulatedAdapter> adapters;
    private final OneAtATime oneAtATime;

    @Option(
            names = "--pcap",
            paramLabel = "FILE",
            description = "Send the frames of this capture, each once, instead of made-up ones.")
    private Path pcap;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "Record here, as a capture, the frames that come out of the guest.")
    private Path out;

    @Option(names = "--no-precopy", description = "Migrate without the PRE_COPY states.")
    private boolean noPrecopy;

    /** A run with the adapters there are now. */
    DemoCommand(MigrationService service, List<EmulatedAdapter> adapters, OneAtATime oneAtATime) {
        this.service = service;
        this.adapters = adapters;
        this.oneAtATime = oneAtATime;
    }

    @Override
    protected CommandResult call(Console console)
            throws IOException, InterruptedException, CommandFailedException, UsageException {
        checkNamed("--pcap", pcap);
        checkNamed("--out", out);
        if (pcap != null && out != null && Files.exists(pcap) && Files.exists(out) && Files.isSameFile(pcap, out)) {
            throw new UsageException("--out would overwrite the file of --pcap: " + out);
        }
        Traffic traffic = pcap == null ? new MadeUpTraffic(MADE_UP_FRAMES) : CaptureTraffic.of(pcap);
        oneAtATime.begin();
        try {
            return show(traffic, console);
        } finally {
            oneAtATime.end();
        }
    }

    // An empty name would mean the working directory.
    private static void checkNamed(String option, Path file) throws UsageException {
        if (file != null && file.toString().isEmpty()) {
            throw new UsageException("the file name of " + option + " is empty");
        }
    }

    @Override
    protected JsonObject failedDocument() {
        return MigrationRun.withoutReport();
    }

    private CommandResult show(Traffic traffic, Console console)
            throws IOException, InterruptedException, CommandFailedException {
        VfChoice vfs = VfChoice.among(service.devices(), adapters);
        DemoReport report = new Demonstration(
                        service,
                        vfs.source(),
                        vfs.destination(),
                        traffic,
                        Demonstration.TRAFFIC_TIME,
                        !noPrecopy,
                        console::progress)
                .run(Optional.ofNullable(out));
        return new CommandResult(DemoDocument.json(report), DemoDocument.text(report), report.failure());
    }
}
