// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;

/**
 * All trackers of one guest at work: what they report goes into one bitmap. Ended by {@link #stop}, whatever happened.
 * Confined to one job.
 */
public final class DirtyTracking {

    private final MemoryChoice choice;
    private final DirtyBitmap bitmap;

    /** For memory that is tracked; takes the memory of the bitmap, and records nothing yet. */
    public DirtyTracking(MemoryChoice choice) {
        this.choice = choice;
        this.bitmap = new DirtyBitmap(choice.ranges(), choice.pageBytes());
    }

    /** What is still to be carried. */
    public DirtyBitmap bitmap() {
        return bitmap;
    }

    /** Begins to record; from now on everything is to be carried once. */
    public void start() throws MigrationException {
        for (Tracker tracker : choice.trackers()) {
            tracker.start(choice.ranges());
        }
        bitmap.setAll();
    }

    /**
     * Adds what was written since the last time.
     *
     * @return those who lost their record; then everything is to be carried
     */
    public List<String> harvest(Gate gate) throws MigrationException {
        List<String> lost = new ArrayList<>();
        for (Tracker tracker : choice.trackers()) {
            if (!tracker.harvest(bitmap, gate)) {
                lost.add(tracker.name());
            }
        }
        if (!lost.isEmpty()) {
            bitmap.setAll();
        }
        return lost;
    }

    /** Ends recording everywhere; answers what failed. */
    public List<Failure> stop() {
        List<Failure> failures = new ArrayList<>();
        for (Tracker tracker : choice.trackers()) {
            try {
                tracker.stop();
            } catch (MigrationException e) {
                failures.add(e.failure());
            }
        }
        return failures;
    }
}
