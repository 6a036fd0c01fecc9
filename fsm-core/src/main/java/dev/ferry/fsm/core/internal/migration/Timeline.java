// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.migration.Decision;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What happens in one migration and when: phases, arcs, decisions, downtime; starts the clocks and tells the listener.
 * Confined to the thread of the migration.
 */
final class Timeline {

    /** Progress is told no more often than this, as a chunk takes microseconds. */
    private static final long PROGRESS_NANOS = Duration.ofMillis(100).toNanos();

    /** Of more decisions the first and the last half are kept. */
    private static final int MAX_DECISIONS = 200;

    private final String migration;
    private final MigrationRequest request;
    private final MigrationListener listener;
    private final StopSignal signal;
    private final TimeSource clock;
    private final Downtime downtime;
    private final ProgressBoard board;
    private final List<MigrationReport.Phase> phases = new ArrayList<>();
    private final List<Decision> decisions = new ArrayList<>();
    private Instant started = Instant.EPOCH;
    private long start;
    private MigrationPhase phase = MigrationPhase.CHECK;
    private boolean inPhase;
    private long phaseStart;
    private long progressTold;

    Timeline(
            String migration,
            MigrationRequest request,
            MigrationListener listener,
            StopSignal signal,
            TimeSource clock) {
        this.migration = migration;
        this.request = request;
        this.listener = listener;
        this.signal = signal;
        this.clock = clock;
        this.downtime = new Downtime(clock);
        this.board = new ProgressBoard(request, clock, downtime);
    }

    /** The migration begins: from now on its time runs. */
    void begin() {
        started = Instant.now();
        start = clock.nanos();
        progressTold = start;
        signal.start();
    }

    /** The phase it is in, or the last one it was in. */
    MigrationPhase phase() {
        return phase;
    }

    /** How far it was when that was told last; refers to nothing else of this migration. */
    AtomicReference<MigrationProgress> progress() {
        return board.last();
    }

    /** What the progress is made of. */
    ProgressBoard board() {
        return board;
    }

    Downtime downtime() {
        return downtime;
    }

    void enter(MigrationPhase next) {
        leavePhase();
        phase = next;
        inPhase = true;
        board.update(next);
        signal.startPhase(next.name(), Optional.ofNullable(request.timeouts().phases().get(next)));
        if (next.compareTo(MigrationPhase.SETUP) >= 0) {
            // Before, it may have to wait for others; when that is over is told by who waited.
            signal.progress();
        }
        listener.onEvent(new MigrationEvent.PhaseStarted(migration, next));
        phaseStart = clock.nanos();
    }

    void leavePhase() {
        if (inPhase) {
            inPhase = false;
            Duration took = since(phaseStart);
            phases.add(new MigrationReport.Phase(phase, took));
            listener.onEvent(new MigrationEvent.PhaseEnded(migration, phase, took));
        }
    }

    void arcStarting(String device, Arc arc) {
        listener.onEvent(new MigrationEvent.ArcStarting(migration, device, arc));
    }

    void arcTaken(String device, Arc arc) {
        listener.onEvent(new MigrationEvent.ArcTaken(migration, device, arc));
    }

    /** The failure may be that of another device, for which this one was not tried. */
    void arcFailed(String device, Arc arc, Failure failure) {
        listener.onEvent(new MigrationEvent.ArcFailed(migration, device, arc, failure));
    }

    /** Tells of each arc of a device on its way back. */
    ArcWatch watch() {
        return new ArcWatch() {
            @Override
            public void before(String device, Arc arc) {
                arcStarting(device, arc);
            }

            @Override
            public void taken(String device, Arc arc) {
                arcTaken(device, arc);
            }

            @Override
            public void failed(String device, Arc arc, Failure failure) {
                arcFailed(device, arc, failure);
            }
        };
    }

    void decide(Decision.Kind kind, String message) {
        Decision decision = new Decision(since(start), kind, message);
        if (decisions.size() == MAX_DECISIONS) {
            decisions.remove(MAX_DECISIONS / 2);
        }
        decisions.add(decision);
        listener.onEvent(new MigrationEvent.Decided(migration, decision));
    }

    /** Tells how far it is when that was told some time ago. */
    void tick() {
        if (clock.nanos() - progressTold >= PROGRESS_NANOS) {
            tellProgress();
        }
    }

    /** Tells how far it is. */
    void tellProgress() {
        progressTold = clock.nanos();
        listener.onEvent(new MigrationEvent.Progress(migration, board.update(phase)));
    }

    void tellEnd(MigrationReport report) {
        if (report.result() == MigrationReport.Result.COMPLETED) {
            board.complete();
            tellProgress();
        }
        listener.onEvent(new MigrationEvent.Ended(migration, report));
    }

    Instant started() {
        return started;
    }

    Duration total() {
        return since(start);
    }

    List<MigrationReport.Phase> phases() {
        return List.copyOf(phases);
    }

    List<Decision> decisions() {
        return List.copyOf(decisions);
    }

    private Duration since(long nanos) {
        return Duration.ofNanos(clock.nanos() - nanos);
    }
}
