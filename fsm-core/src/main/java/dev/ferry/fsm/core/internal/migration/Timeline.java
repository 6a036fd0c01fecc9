// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What happens in one migration and when: phases, downtime, bytes; and tells the listener. Confined to the thread of
 * the migration, but for {@link #phase}.
 */
final class Timeline {

    /** Progress is told no more often than this, as a chunk takes microseconds. */
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(100);

    private final String migration;
    private final MigrationListener listener;
    private final List<MigrationReport.Phase> phases = new ArrayList<>();
    private long start;
    private volatile MigrationPhase phase = MigrationPhase.CHECK;
    private boolean inPhase;
    private long phaseStart;
    private long downtimeStart;
    private boolean down;
    private Duration downtime = Duration.ZERO;
    private long stateBytes;
    private long memoryBytes;
    private long progressTold;

    Timeline(String migration, MigrationListener listener) {
        this.migration = migration;
        this.listener = listener;
    }

    /** The migration begins: from now on its time runs. */
    void begin() {
        start = System.nanoTime();
        progressTold = start;
    }

    /** The phase it is in, or the last one it was in. Thread-safe. */
    MigrationPhase phase() {
        return phase;
    }

    void enter(MigrationPhase next) {
        leavePhase();
        phase = next;
        inPhase = true;
        listener.onEvent(new MigrationEvent.PhaseStarted(migration, next));
        phaseStart = System.nanoTime();
    }

    void leavePhase() {
        if (inPhase) {
            phases.add(new MigrationReport.Phase(phase, since(phaseStart)));
            inPhase = false;
        }
    }

    void downtimeBegins() {
        downtimeStart = System.nanoTime();
        down = true;
    }

    /** Does nothing when there is no downtime now. */
    void downtimeEnds() {
        if (down) {
            downtime = since(downtimeStart);
            down = false;
        }
    }

    void countState(long bytes) {
        stateBytes += bytes;
        progress();
    }

    void countMemory(long bytes) {
        memoryBytes += bytes;
        progress();
    }

    void arcTaken(String device, Arc arc) {
        listener.onEvent(new MigrationEvent.ArcTaken(migration, device, arc));
    }

    /** Tells how many bytes were carried in all. */
    void tellProgress() {
        progressTold = System.nanoTime();
        listener.onEvent(new MigrationEvent.Progress(migration, stateBytes, memoryBytes));
    }

    void tellEnd(MigrationReport report) {
        listener.onEvent(new MigrationEvent.Ended(migration, report));
    }

    List<MigrationReport.Phase> phases() {
        return List.copyOf(phases);
    }

    Duration downtime() {
        return downtime;
    }

    Duration total() {
        return since(start);
    }

    long stateBytes() {
        return stateBytes;
    }

    long memoryBytes() {
        return memoryBytes;
    }

    private void progress() {
        if (since(progressTold).compareTo(PROGRESS_INTERVAL) >= 0) {
            tellProgress();
        }
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }
}
