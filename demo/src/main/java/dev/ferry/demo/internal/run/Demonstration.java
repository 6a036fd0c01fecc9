// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.MigrationRun;
import dev.ferry.demo.internal.traffic.Traffic;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One live migration of a VF under traffic: a guest forwards frames, moves half-way, and every frame that comes out of
 * it is compared with those sent. Runs on the calling thread; used once.
 */
public final class Demonstration {

    private record Outcome(long waited, MigrationReport migration, Optional<String> guestFailure) {}

    private static final int MIB = 1 << 20;
    /** Time over which the frames are spread where there are not too many for it. */
    public static final Duration TRAFFIC_TIME = Duration.ofSeconds(2);

    private static final Duration STALL_LIMIT = Duration.ofSeconds(30);
    private static final Duration MIGRATION_LIMIT = MigrationRequest.DEFAULT_TIMEOUT.plusSeconds(30);
    private static final Duration RECORD_LIMIT = Duration.ofSeconds(10);
    private static final Duration CANCEL_LIMIT = Duration.ofSeconds(10);

    private final MigrationService service;
    private final Vf source;
    private final Vf destination;
    private final Traffic traffic;
    private final Duration trafficTime;
    private final boolean preCopy;
    private final Consumer<String> progress;
    private final FrameLedger ledger = new FrameLedger();

    /**
     * A demonstration between two VFs that nobody uses.
     *
     * @param trafficTime over which to spread the frames
     * @param progress takes one line at a time, for a person
     */
    public Demonstration(
            MigrationService service,
            Vf source,
            Vf destination,
            Traffic traffic,
            Duration trafficTime,
            boolean preCopy,
            Consumer<String> progress) {
        this.service = service;
        this.source = source;
        this.destination = destination;
        this.traffic = traffic;
        this.trafficTime = trafficTime;
        this.preCopy = preCopy;
        this.progress = progress;
    }

    /**
     * Does it. Afterwards both VFs are reset and nothing is left of guests and network.
     *
     * @param out file for the frames that come out of the guest; replaced once there is a report, and only then
     * @throws CommandFailedException when the migration does not end
     * @throws IOException when the guest cannot be set up, the traffic stalls or a file cannot be used
     */
    public DemoReport run(Optional<Path> out) throws IOException, InterruptedException, CommandFailedException {
        Outcome outcome;
        Recorder recorder = new Recorder(ledger, out, traffic.nanoseconds(), RECORD_LIMIT);
        try (recorder) {
            try (TestBed bed = new TestBed(service, source, destination, recorder, progress)) {
                progress.accept("a guest with " + GuestRam.DEFAULT_BYTES / MIB + " MiB runs on " + source.id()
                        + "; traffic: " + traffic.description());
                outcome = run(bed, recorder);
            }
            // There will be a report, whatever it says; a run that was broken off leaves no file.
            recorder.keep();
        }
        // Only now: what a device sends while it is put back would count as well, and all of it is recorded.
        return new DemoReport(
                traffic.description(),
                ledger.counts(),
                outcome.waited(),
                outcome.migration(),
                outcome.guestFailure(),
                recorder.fileFailure());
    }

    private Outcome run(TestBed bed, Recorder recorder) throws IOException, InterruptedException, CommandFailedException {
        try (EmulatedNetwork network = new EmulatedNetwork(
                        source.port(), (frame, delivery) -> ledger.refused(frame), ledger::fail);
                Traffic.Frames frames = traffic.open()) {
            Sender sender = new Sender(frames, traffic.count(), ledger, network, trafficTime, STALL_LIMIT);
            sender.sendFirstHalf();
            progress.accept("half of the frames are sent; the guest moves to " + destination.id());
            MigrationRequest request = MigrationRequest.of(source.id(), destination.id())
                    .withPreCopy(preCopy)
                    .withGuests(bed.source(), bed.destination());
            Migration migration = service.start(request, event -> onEvent(event, network));
            MigrationReport report = await(migration, sender);
            progress.accept("the migration ended as " + report.result() + "; the rest of the frames is sent");
            sender.sendRest();
            return new Outcome(network.waited(), report, bed.guestFailure());
        } catch (IOException e) {
            throw bed.guestFailure()
                    .map(why -> "the guest stopped: " + why)
                    .or(recorder::trouble)
                    .map(why -> new IOException(why, e))
                    .orElse(e);
        }
    }

    // Whatever goes wrong here, the migration must have ended before the guests go.
    private MigrationReport await(Migration migration, Sender sender)
            throws IOException, InterruptedException, CommandFailedException {
        try {
            sender.sendUntilReserve();
            return MigrationRun.await(migration, MIGRATION_LIMIT);
        } catch (IOException | InterruptedException | CommandFailedException | RuntimeException e) {
            migration.cancel();
            try {
                MigrationRun.await(migration, CANCEL_LIMIT);
            } catch (CommandFailedException | InterruptedException late) {
                e.addSuppressed(late);
            }
            throw e;
        }
    }

    private void onEvent(MigrationEvent event, EmulatedNetwork network) {
        if (event instanceof MigrationEvent.PhaseStarted started) {
            if (started.phase() == MigrationPhase.SWITCHOVER) {
                network.switchoverBegins();
            } else if (started.phase() == MigrationPhase.START) {
                network.follow(destination.port());
            }
        }
    }
}
