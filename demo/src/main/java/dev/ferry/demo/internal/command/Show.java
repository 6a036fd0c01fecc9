// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.MigrationOptions;
import dev.ferry.cli.ProgressDisplay;
import dev.ferry.cli.RunOptions;
import dev.ferry.cli.UsageException;
import dev.ferry.demo.internal.run.DemoReport;
import dev.ferry.demo.internal.run.Demonstration;
import dev.ferry.demo.internal.run.VfPair;
import dev.ferry.demo.internal.traffic.MadeUpTraffic;
import dev.ferry.demo.internal.traffic.Traffic;
import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Runs demonstrations as one command line asks for them, and says how far they are. */
record Show(
        DemoServices services,
        MigrationOptions options,
        RunOptions running,
        GuestOptions guest,
        List<Traffic> traffic,
        Duration trafficTime,
        Console console) {

    private static final long TRIAL_FRAMES = 200;
    private static final Duration TRIAL_TIME = Duration.ofMillis(100);

    /** One. */
    CommandResult result(List<VfPair> vfs, Optional<Path> out)
            throws IOException, InterruptedException, CommandFailedException {
        DemoReport report = run(vfs, out, !options.isWithoutPreCopy());
        return new CommandResult(DemoDocument.json(report), DemoDocument.text(report), report.complaints());
    }

    /**
     * One without pre-copy, then one with it; the latter is recorded. Each is tried before with a few frames: what is
     * done for the first time in a process takes longer, and nothing is known of the devices yet.
     */
    CommandResult comparison(List<VfPair> vfs, String latency, Optional<Path> out)
            throws IOException, InterruptedException, CommandFailedException {
        if (!running.isQuiet()) {
            console.progress("both ways are tried with a few frames first, as first times take longer");
        }
        Show trial = trial();
        trial.run(vfs, Optional.empty(), false);
        trial.run(vfs, Optional.empty(), true);
        DemoReport without = run(vfs, Optional.empty(), false);
        return new Comparison(latency, without, run(vfs, out, true)).result();
    }

    private Show trial() {
        List<Traffic> few = traffic.stream().<Traffic>map(each -> new MadeUpTraffic(TRIAL_FRAMES)).toList();
        Console nobody = new Console(console.out(), new PrintStream(OutputStream.nullOutputStream()));
        return new Show(services, options, running, guest, few, TRIAL_TIME, nobody);
    }

    private DemoReport run(List<VfPair> vfs, Optional<Path> out, boolean preCopy)
            throws IOException, InterruptedException, CommandFailedException {
        Demonstration.Settings settings = new Demonstration.Settings(
                vfs, traffic, trafficTime, guest, request -> made(request).withPreCopy(preCopy));
        if (running.isQuiet()) {
            return new Demonstration(services.service(), settings, line -> {}, event -> {}).run(out);
        }
        try (ProgressDisplay display = ProgressDisplay.on(console)) {
            return new Demonstration(services.service(), settings, display::say, event -> {
                        // Each device takes many arcs; the report says how long they took.
                        if (!(event instanceof MigrationEvent.ArcTaken)) {
                            display.onEvent(event);
                        }
                    })
                    .run(out);
        }
    }

    private MigrationRequest made(MigrationRequest request) {
        try {
            return running.applyTo(options.applyTo(request));
        } catch (UsageException e) {
            throw new IllegalStateException("the options were looked at before", e);
        }
    }
}
