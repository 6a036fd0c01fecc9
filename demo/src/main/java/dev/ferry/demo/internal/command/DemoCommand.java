// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.MigrationOptions;
import dev.ferry.cli.Quantities;
import dev.ferry.cli.ReportDocument;
import dev.ferry.cli.RunOptions;
import dev.ferry.cli.UsageException;
import dev.ferry.demo.internal.run.Demonstration;
import dev.ferry.demo.internal.run.VfPair;
import dev.ferry.demo.internal.traffic.CaptureTraffic;
import dev.ferry.demo.internal.traffic.MadeUpTraffic;
import dev.ferry.demo.internal.traffic.Traffic;
import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.emulator.guest.MemoryLoad;
import dev.ferry.migration.MigrationRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code demo}: one live migration under traffic, or one without and one with pre-copy. */
@Command(name = "demo", description = DemoCommand.SUMMARY)
final class DemoCommand extends FerryCommand {

    static final String SUMMARY =
            "Migrate emulated VFs between two hosts under traffic, and report what became of it.";

    private static final long MADE_UP_FRAMES = 20_000;
    private static final int MOST_VFS = 16;
    private static final int PAGE_BYTES = 4096;
    private static final String WRITES = "--writes";

    private final DemoServices services;

    @Option(
            names = "--pcap",
            paramLabel = "FILE",
            description = "Send the frames of this capture, each once, instead of made-up ones.")
    private Path pcap;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "Record here, as a capture, the frames that come out of the guest; with one VF only.")
    private Path out;

    @Option(
            names = "--vfs",
            paramLabel = "N",
            defaultValue = "1",
            description = "VFs of the guest, 1 to 16, which move together; default: ${DEFAULT-VALUE}.")
    private int vfs;

    @Option(
            names = "--latency",
            paramLabel = "PROFILE",
            description = "Time that the devices take: none or smartnic, also with steps of another time, as in "
                    + "smartnic,firstLoad=2s. Unless --no-precopy is given, it migrates without pre-copy first, then "
                    + "with it, and compares.")
    private String latency;

    @Option(
            names = WRITES,
            paramLabel = "RATE",
            description = "How fast the guest itself writes its memory, as a rate of --bandwidth; default: not at all.")
    private String writes;

    @Mixin
    private MigrationOptions options;

    @Mixin
    private RunOptions running;

    /** A run with the services there are now. */
    DemoCommand(DemoServices services) {
        this.services = services;
    }

    @Override
    protected CommandResult call(Console console)
            throws IOException, InterruptedException, CommandFailedException, UsageException {
        checkFiles();
        if (vfs < 1 || vfs > MOST_VFS) {
            throw new UsageException("--vfs takes 1 to %d, not %d".formatted(MOST_VFS, vfs));
        }
        options.applyTo(MigrationRequest.of("source", "destination"));
        Show show = new Show(services, options, running, guest(), traffic(), Demonstration.TRAFFIC_TIME, console);
        services.oneAtATime().begin();
        try {
            return latency == null && enough() ? one(show) : withOwnHosts(show);
        } finally {
            services.oneAtATime().end();
        }
    }

    // For one VF there are no hosts of its own: who has none shall hear so.
    private boolean enough() {
        return vfs == 1 || VfChoice.isEnough(services.service().devices(), services.adapters().get(), vfs);
    }

    private CommandResult one(Show show) throws IOException, InterruptedException, CommandFailedException {
        List<VfPair> pairs = VfChoice.among(services.service().devices(), services.adapters().get(), vfs);
        return show.result(pairs, Optional.ofNullable(out));
    }

    private CommandResult withOwnHosts(Show show)
            throws IOException, InterruptedException, CommandFailedException, UsageException {
        String profile = latency == null ? "none" : latency;
        try (OwnHosts hosts = new OwnHosts(services, vfs, profile)) {
            List<VfPair> pairs = hosts.await(vfs);
            return latency == null || options.isWithoutPreCopy()
                    ? show.result(pairs, Optional.ofNullable(out))
                    : show.comparison(pairs, profile, Optional.ofNullable(out));
        }
    }

    private void checkFiles() throws IOException, UsageException {
        checkNamed("--pcap", pcap);
        checkNamed("--out", out);
        if (out != null && vfs > 1) {
            throw new UsageException("--out records the frames of one VF, and --vfs asks for " + vfs);
        }
        if (pcap != null && out != null && Files.exists(pcap) && Files.exists(out) && Files.isSameFile(pcap, out)) {
            throw new UsageException("--out would overwrite the file of --pcap: " + out);
        }
    }

    // An empty name would mean the working directory.
    private static void checkNamed(String option, Path file) throws UsageException {
        if (file != null && file.toString().isEmpty()) {
            throw new UsageException("the file name of " + option + " is empty");
        }
    }

    private List<Traffic> traffic() throws IOException {
        List<Traffic> traffic = new ArrayList<>();
        for (int vf = 0; vf < vfs; vf++) {
            traffic.add(pcap == null ? new MadeUpTraffic(MADE_UP_FRAMES / vfs, vf) : CaptureTraffic.of(pcap));
        }
        return traffic;
    }

    private GuestOptions guest() throws UsageException {
        if (writes == null) {
            return GuestOptions.defaults();
        }
        long pages = Quantities.bandwidth(WRITES, writes).bytesPerSecond() / PAGE_BYTES / vfs;
        if (pages < 1 || pages > MemoryLoad.MOST_PER_SECOND) {
            throw new UsageException("%s takes %d kB/s to %d MB/s for each VF, not '%s'".formatted(
                    WRITES, PAGE_BYTES / 1000 + 1, (long) MemoryLoad.MOST_PER_SECOND * PAGE_BYTES / 1_000_000, writes));
        }
        return GuestOptions.defaults().withLoad(new MemoryLoad((int) pages, 0));
    }

    @Override
    protected JsonObject failedDocument() {
        return ReportDocument.withoutReport();
    }
}
