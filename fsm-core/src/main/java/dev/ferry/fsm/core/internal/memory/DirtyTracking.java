// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * All trackers of one guest at work: what they report goes into one bitmap. Ended by {@link #stop}, whatever happened.
 * Confined to one job; its threads may harvest different trackers at the same time.
 */
public final class DirtyTracking {

    private final MemoryChoice choice;

    /** Apart from all others, as in these nothing is set when they are given back. */
    private final Buffers scratches = new Buffers();

    private final DirtyBitmap bitmap;
    private final Queue<String> lost = new ConcurrentLinkedQueue<>();

    /** For memory that is tracked; takes the memory of the bitmap, and records nothing yet. */
    public DirtyTracking(MemoryChoice choice) {
        this.choice = choice;
        this.bitmap = new DirtyBitmap(choice.ranges(), choice.pageBytes());
    }

    /** What is still to be carried. */
    public DirtyBitmap bitmap() {
        return bitmap;
    }

    /** Memory taken for the bitmap and for what several trackers report. */
    public long bytes() {
        return choice.bitmapBytes() + scratches.allocatedBytes();
    }

    /** Begins to record; from now on everything is to be carried once. */
    public void start() throws MigrationException {
        for (Tracker tracker : choice.trackers()) {
            tracker.start(choice.ranges());
        }
        bitmap.setAll();
    }

    /** Those who tell what is written. */
    public List<Tracker> trackers() {
        return choice.trackers();
    }

    /** Adds what was written since the last time, as one of them tells it; all of them may do so at the same time. */
    public void harvest(Tracker tracker, Gate gate) throws MigrationException {
        int trackers = choice.trackers().size();
        int first = choice.trackers().indexOf(tracker) * bitmap.slices().size() / trackers;
        if (!tracker.harvest(bitmap, first, scratches, gate)) {
            lost.add(tracker.name());
        }
    }

    /** Those who lost their record since the last time; if there are any, everything is to be carried. */
    public List<String> takeLost() {
        List<String> names = new ArrayList<>();
        for (String name = lost.poll(); name != null; name = lost.poll()) {
            names.add(name);
        }
        if (!names.isEmpty()) {
            bitmap.setAll();
        }
        return names;
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
