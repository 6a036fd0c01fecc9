// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.MigrationRun;
import dev.ferry.cli.PlanForm;
import dev.ferry.demo.internal.traffic.Traffic;
import dev.ferry.emulator.guest.GuestOptions;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One live migration of a guest with one VF or several under traffic: it forwards frames, moves half-way, and every
 * frame that comes out of it is compared with those sent. Runs on the calling thread; used once.
 */
public final class Demonstration {

    private record Outcome(MigrationPlan plan, MigrationReport migration, Optional<String> guestFailure) {}

    private static final int MIB = 1 << 20;
    /** Time over which the frames are spread where there are not too many for it. */
    public static final Duration TRAFFIC_TIME = Duration.ofSeconds(2);

    private static final Duration GRACE = Duration.ofSeconds(30);
    private static final Duration CANCEL_LIMIT = Duration.ofSeconds(10);

    private final MigrationService service;
    private final Settings settings;
    private final Consumer<String> progress;
    private final MigrationListener listener;

    /**
     * What is to be shown.
     *
     * @param vfs which nobody uses
     * @param traffic of each VF, in their order
     * @param trafficTime over which to spread the frames
     * @param guest how the guest sets up its devices
     * @param how makes the request of the migration out of one with all defaults
     */
    public record Settings(
            List<VfPair> vfs,
            List<Traffic> traffic,
            Duration trafficTime,
            GuestOptions guest,
            Function<MigrationRequest, MigrationRequest> how) {}

    /**
     * A demonstration.
     *
     * @param progress takes one line at a time, for a person
     * @param listener follows the migration
     */
    public Demonstration(
            MigrationService service, Settings settings, Consumer<String> progress, MigrationListener listener) {
        this.service = service;
        this.settings = settings;
        this.progress = progress;
        this.listener = listener;
    }

    /**
     * Does it. Afterwards all VFs are reset and nothing is left of guests and networks.
     *
     * @param out file for the frames that come out of the first VF; replaced once there is a report, and only then
     * @throws CommandFailedException when the migration does not end
     * @throws IOException when the guest cannot be set up, the traffic stalls or a file cannot be used
     */
    public DemoReport run(Optional<Path> out) throws IOException, InterruptedException, CommandFailedException {
        List<Lane> lanes = new ArrayList<>();
        Outcome outcome;
        AllOf recording = new AllOf(lanes, Lane::close);
        try (recording) {
            for (int i = 0; i < settings.vfs().size(); i++) {
                lanes.add(new Lane(settings.vfs().get(i), settings.traffic().get(i), i == 0 ? out : Optional.empty()));
            }
            try (TestBed bed = new TestBed(service, lanes, settings.guest(), progress)) {
                progress.accept("a guest with %d MiB runs on %s; traffic: %s".formatted(
                        Machine.bytes(lanes.size()) / MIB, sources(), settings.traffic().get(0).description()
                                + (lanes.size() > 1 ? " through each" : "")));
                outcome = run(bed, lanes);
            }
            // There will be a report, whatever it says; a run that was broken off leaves no file.
            lanes.forEach(lane -> lane.recorder().keep());
        }
        // Only now: what a device sends while it is put back would count as well, and all of it is recorded.
        return new DemoReport(
                settings.traffic().get(0).description(),
                lanes.stream().map(Lane::flow).toList(),
                outcome.plan(),
                outcome.migration(),
                outcome.guestFailure(),
                lanes.get(0).recorder().recording());
    }

    private String sources() {
        return describe(settings.vfs().stream().map(pair -> pair.source().id()).toList());
    }

    private static String describe(List<String> ids) {
        return ids.size() == 1 ? ids.get(0) : "%s and %d more".formatted(ids.get(0), ids.size() - 1);
    }

    private Outcome run(TestBed bed, List<Lane> lanes)
            throws IOException, InterruptedException, CommandFailedException {
        MigrationRequest request = request(bed);
        // Before the first frame: devices that take their time to answer would hold the traffic up later.
        MigrationPlan plan = plan(request);
        AllOf networks = new AllOf(lanes, Lane::closeNetwork);
        try (networks; Senders senders = new Senders(lanes)) {
            for (Lane lane : lanes) {
                lane.open(settings.trafficTime());
            }
            senders.all(Sender::sendFirstHalf);
            progress.accept("half of the frames are sent; the guest moves to "
                    + describe(settings.vfs().stream().map(pair -> pair.destination().id()).toList()));
            Migration migration = service.start(request, event -> onEvent(event, lanes));
            MigrationReport report = await(migration, senders);
            progress.accept("the migration ended as " + report.result() + "; the rest of the frames is sent");
            senders.all(Sender::sendRest);
            return new Outcome(plan, report, bed.guestFailure().or(() -> lostMemory(bed, report)));
        } catch (IOException e) {
            throw bed.guestFailure()
                    .map(why -> "the guest stopped: " + why)
                    .or(() -> lanes.stream().flatMap(lane -> lane.recorder().trouble().stream()).findFirst())
                    .map(why -> new IOException(why, e))
                    .orElse(e);
        }
    }

    // What stands against it, the migration says when it does not start.
    private MigrationPlan plan(MigrationRequest request) {
        MigrationPlan plan = service.plan(request);
        if (plan.findings().isEmpty()) {
            PlanForm.text(plan, request).lines().forEach(progress);
        }
        return plan;
    }

    private MigrationRequest request(TestBed bed) {
        List<DevicePair> pairs = settings.vfs().stream()
                .map(pair -> new DevicePair(pair.source().id(), pair.destination().id()))
                .toList();
        return settings.how().apply(MigrationRequest.of(pairs)).withGuests(bed.source(), bed.destination());
    }

    // What the guest wrote itself must have come along; where the migration ended, it is.
    private static Optional<String> lostMemory(TestBed bed, MigrationReport report) {
        Machine machine = report.result() == Result.COMPLETED ? bed.destination() : bed.source();
        try {
            machine.pause();
            return machine.lostMemory().map(page -> "its memory is not as it was written: " + page);
        } catch (IOException e) {
            return Optional.of("it cannot be paused: " + e.getMessage());
        }
    }

    // Whatever goes wrong here, the migration must have ended before the guests go.
    private MigrationReport await(Migration migration, Senders senders)
            throws IOException, InterruptedException, CommandFailedException {
        try {
            sendUntilReserve(migration, senders);
            return MigrationRun.await(migration, migration.request().timeout().plus(GRACE), progress);
        } catch (IOException | InterruptedException | CommandFailedException | RuntimeException e) {
            migration.cancel();
            try {
                MigrationRun.await(migration, CANCEL_LIMIT, progress);
            } catch (CommandFailedException | InterruptedException late) {
                e.addSuppressed(late);
            }
            throw e;
        }
    }

    private static void sendUntilReserve(Migration migration, Senders senders)
            throws IOException, InterruptedException {
        try {
            senders.all(Sender::sendUntilReserve);
        } catch (InterruptedException e) {
            throw MigrationRun.interrupted(migration, e);
        }
    }

    private void onEvent(MigrationEvent event, List<Lane> lanes) {
        if (event instanceof MigrationEvent.PhaseStarted started) {
            if (started.phase() == MigrationPhase.SWITCHOVER) {
                lanes.forEach(Lane::switchoverBegins);
            } else if (started.phase() == MigrationPhase.START) {
                lanes.forEach(Lane::follow);
            }
        }
        listener.onEvent(event);
    }

    /** Closes something of all lanes there are by then; the first failure is the one told. */
    private record AllOf(List<Lane> lanes, Closing closing) implements AutoCloseable {

        @FunctionalInterface
        interface Closing {
            void close(Lane lane) throws IOException;
        }

        @Override
        public void close() throws IOException {
            IOException failed = null;
            for (Lane lane : lanes) {
                try {
                    closing.close(lane);
                } catch (IOException e) {
                    failed = failed == null ? e : failed;
                }
            }
            if (failed != null) {
                throw failed;
            }
        }
    }
}
