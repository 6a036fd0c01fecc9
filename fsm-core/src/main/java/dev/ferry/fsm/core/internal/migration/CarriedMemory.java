// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.memory.DirtyTracking;
import dev.ferry.fsm.core.internal.memory.GuestCalls;
import dev.ferry.fsm.core.internal.memory.MemoryChoice;
import dev.ferry.fsm.core.internal.memory.MemoryTransfer;
import dev.ferry.fsm.core.internal.pace.MemoryRate;
import dev.ferry.migration.Decision;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The memory of the guest on its way: in rounds while the guest runs where it is tracked, then the rest, or all of it,
 * during the downtime. Used by the thread of the migration, and by one that works for it while it waits.
 */
final class CarriedMemory {

    private final Kit kit;
    private final MemoryChoice choice;
    private final MemoryTransfer transfer;
    private final Gauge gauge;
    private final MemoryRate rate = new MemoryRate();
    private Optional<DirtyTracking> tracking = Optional.empty();
    private long lookedAt;
    private Duration lookTook = Duration.ZERO;
    private BooleanSupplier isProgress = () -> true;

    private CarriedMemory(Kit kit, MemoryChoice choice, GuestCalls source, GuestCalls destination) {
        this.kit = kit;
        this.choice = choice;
        this.transfer = new MemoryTransfer(source, destination, kit.pace(), kit.buffers(), this::count);
        this.gauge = kit.timeline().board().memory();
        gauge.setRemaining(choice.totalBytes());
    }

    /**
     * Prepares what can be prepared; empty without a guest.
     *
     * @throws MigrationException GUEST_FAILED when the two ends have different memory
     */
    static Optional<CarriedMemory> of(Ends ends, Kit kit) throws MigrationException {
        if (ends.sourceGuest().isEmpty()) {
            return Optional.empty();
        }
        GuestCalls source = ends.sourceGuest().get();
        GuestCalls destination = ends.destinationGuest().orElseThrow();
        requireSame(source.ranges(), destination.ranges());
        MemoryChoice choice = MemoryChoice.of(
                source, ends.sources(), kit.request().preCopy(), kit.settings().bitmapBytes());
        kit.timeline().decide(Decision.Kind.TRACKING, choice.explanation());
        return Optional.of(new CarriedMemory(kit, choice, source, destination));
    }

    private static void requireSame(List<IovaRange> atSource, List<IovaRange> atDestination)
            throws MigrationException {
        if (!atSource.equals(atDestination)) {
            throw new MigrationException(Failure.of(
                    FailureCode.GUEST_FAILED,
                    "The guest's memory differs at the two ends, " + atSource + " at the source and " + atDestination
                            + " at the destination: start the destination's guest with the same memory."));
        }
    }

    /** Whether it is carried while the guest runs. */
    boolean isTracked() {
        return choice.isTracked();
    }

    long totalBytes() {
        return choice.totalBytes();
    }

    /** Memory taken for the record of written pages. */
    long bitmapBytes() {
        return tracking.map(DirtyTracking::bytes).orElse(0L);
    }

    /** What is left to carry if the guest stopped now. */
    long remainingBytes() {
        return gauge.remaining();
    }

    MemoryRate rate() {
        return rate;
    }

    /** How long the trackers needed to tell what was written between the last two rounds. */
    Duration lookTook() {
        return lookTook;
    }

    /** Begins to track. */
    void startTracking() throws MigrationException {
        tracking = Optional.of(new DirtyTracking(choice));
        tracking.get().start();
        lookedAt = kit.clock().nanos();
    }

    private void count(long bytes) {
        gauge.carry(bytes);
        if (isProgress.getAsBoolean()) {
            kit.signal().progress();
        }
    }

    /**
     * Carries once what was written, while the guest may write again.
     *
     * @param progress whether to carry it brings the migration nearer to its end; asked for each piece
     */
    void round(Gate gate, BooleanSupplier progress) throws MigrationException {
        isProgress = progress;
        long start = kit.clock().nanos();
        long before = gauge.bytes();
        transfer.dirty(tracking.orElseThrow().bitmap(), gate);
        rate.round(gauge.bytes() - before, kit.clock().nanos() - start);
    }

    /** Looks between two rounds what was written since the last time, and how much is left by now. */
    void look() throws MigrationException {
        long begin = kit.clock().nanos();
        harvest();
        long now = kit.clock().nanos();
        lookTook = Duration.ofNanos(now - begin);
        gauge.setRemaining(tracking.get().bitmap().dirtyBytes());
        rate.written(gauge.remaining(), now - lookedAt);
        lookedAt = now;
    }

    /**
     * Looks after the last writer has stopped.
     *
     * @return whether the records were kept; when one was lost, everything is left
     */
    boolean lookLast() throws MigrationException {
        boolean kept = harvest();
        // Once through the bits, as the carrying goes anyway; without it nothing would seem left halfway.
        gauge.setRemaining(tracking.orElseThrow().bitmap().dirtyBytes());
        return kept;
    }

    /** Asks all trackers at the same time; answers whether all kept their records. */
    private boolean harvest() throws MigrationException {
        DirtyTracking now = tracking.orElseThrow();
        List<Crew.Piece> pieces = new ArrayList<>();
        now.trackers().forEach(tracker -> pieces.add(gate -> now.harvest(tracker, gate)));
        kit.crew().run(pieces);
        List<String> lost = now.takeLost();
        if (!lost.isEmpty()) {
            kit.timeline().decide(
                    Decision.Kind.TRACKING_LOST,
                    "The record of " + String.join(", ", lost) + " was lost: every page counts as written.");
        }
        return lost.isEmpty();
    }

    /** Carries what is left, after the last writer was stopped and, where it is tracked, after the last look. */
    void rest(Gate gate) throws MigrationException {
        isProgress = () -> true;
        if (tracking.isPresent()) {
            transfer.dirty(tracking.get().bitmap(), gate);
        } else {
            transfer.all(choice.ranges(), gate);
        }
        gauge.setRemaining(0);
    }

    /** Ends tracking; answers what failed. Does nothing when there is none. */
    List<Failure> stopTracking() {
        return tracking.map(DirtyTracking::stop).orElse(List.of());
    }

    boolean isTracking() {
        return tracking.isPresent();
    }
}
