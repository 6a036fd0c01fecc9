// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * One device that saves while its guest runs. To ask it is to ask once how much there is, to read until there is no
 * data for now, and to ask how much would be left: asking for data more often would make some devices capture their
 * state again. The destination has loaded what was written to it, so it has acknowledged the initial data when the last
 * of them were written.
 *
 * <p>Used by one thread at a time; whether it is awaited is for all to see.
 */
final class DevicePreCopy {

    /** How often changed data are read at one time, from a device that changes as fast as it is read. */
    private static final int MAX_DIRTY_READS = 16;

    /** How long it is asked for initial data that it announces and does not give. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** The most that counts of the time between two questions: who is not asked is not silent. */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(1);

    private final DeviceEnds ends;
    private final Kit kit;
    private boolean asked;
    private boolean announces;
    private boolean warm;
    private boolean late;
    private long initialLeft;

    /** The fewest initial data that were left since the device announced them. */
    private long leastLeft = Long.MAX_VALUE;

    private long askedAt;
    private boolean silent;
    private long silentNanos;
    private volatile boolean awaited;
    private boolean reinitialized;
    private boolean wasAcknowledged;
    private boolean wasGivenUp;

    DevicePreCopy(DeviceEnds ends, Kit kit) {
        this.ends = ends;
        this.kit = kit;
    }

    /** The first question of a round. */
    void round(Gate gate) throws MigrationException {
        reinitialized = false;
        wasAcknowledged = ends.isAcknowledged();
        wasGivenUp = isGivenUp();
        ask(gate);
    }

    /** Asks and reads. */
    void ask(Gate gate) throws MigrationException {
        PrecopyInfo info = SessionBytes.precopyInfo(ends.source());
        if (!asked) {
            askForSize();
            announces = SessionBytes.announcesReinitialization(ends.source());
            asked = true;
        }
        if (info.reinitialized()) {
            reinitialized = true;
            leastLeft = Long.MAX_VALUE;
        }
        long before = leastLeft;
        initialLeft = info.initialBytes();
        leastLeft = Math.min(leastLeft, initialLeft);
        ends.gauge().setRemaining(Math.max(ends.stateBytes(), info.totalBytes()));
        if (info.totalBytes() > 0) {
            read(gate);
            // What was read may be left out of what is to come, or come once more: only the device knows.
            askForSize();
        }
        ends.acknowledge(initialLeft == 0);
        ends.gauge().setRemaining(ends.stateBytes());
        countSilence(leastLeft < before);
        awaited = initialLeft > 0 && !isGivenUp();
    }

    private void askForSize() throws MigrationException {
        ends.expect(ends.source().machine().stopCopySize());
    }

    private void read(Gate gate) throws MigrationException {
        ByteBuffer buffer = kit.buffers().take(kit.settings().chunkBytes());
        Pump pump = new Pump(buffer, gate, kit.pace(), ends.gauge()::carry);
        StepTimes times = new StepTimes(kit.clock());
        ByteSource saving = times.saving(SessionBytes.running(ends.source()));
        ByteSink loading = times.transferring(ends.loading());
        int dirtyReads = 0;
        while (dirtyReads < MAX_DIRTY_READS) {
            if (initialLeft == 0) {
                dirtyReads++;
            }
            int bytes = pump.once(saving, loading);
            if (bytes == 0) {
                break;
            }
            initialLeft = Math.max(0, initialLeft - bytes);
            if (initialLeft < leastLeft) {
                leastLeft = initialLeft;
                kit.signal().progress();
            }
        }
        kit.buffers().give(buffer);
        estimate(times);
    }

    /** The first reads take what is done only once, such as to allocate, and tell nothing of those in the downtime. */
    private void estimate(StepTimes times) {
        boolean carried = times.all().containsKey(Step.TRANSFER);
        if (carried && warm) {
            ends.estimate(Step.SAVE, times.of(Step.SAVE));
            ends.estimate(Step.TRANSFER, times.of(Step.TRANSFER));
        }
        warm = warm || carried;
    }

    private void countSilence(boolean arrived) {
        long now = kit.clock().nanos();
        silent = !arrived;
        silentNanos = arrived ? 0 : silentNanos + Math.min(now - askedAt, LONGEST_SILENCE.toNanos());
        askedAt = now;
    }

    /** Whether initial data are missing, and asking again may bring them. Thread-safe. */
    boolean isAwaited() {
        return awaited;
    }

    /** Whether the last question brought no initial data. */
    boolean isSilent() {
        return silent;
    }

    private boolean isGivenUp() {
        return silentNanos >= PATIENCE.toNanos() && initialLeft > 0;
    }

    /** Whether to ask once more before it is stopped. */
    boolean announcesReinitialization() {
        return announces;
    }

    /** The last question, of a device whose guest is paused; reads nothing. */
    void askLast() throws MigrationException {
        PrecopyInfo info = SessionBytes.precopyInfo(ends.source());
        late = info.reinitialized() && info.initialBytes() > 0;
    }

    /** Whether the last question brought new initial data, which it is too late to load before the downtime. */
    boolean isLate() {
        return late;
    }

    String source() {
        return ends.source().id();
    }

    /** Tells what the round brought; on the thread of the migration. */
    void tell() {
        String source = ends.source().id();
        String destination = ends.destination().id();
        if (reinitialized) {
            kit.timeline().decide(
                    Decision.Kind.REINITIALIZED,
                    source + " announced new initial data: " + destination + " has to acknowledge again.");
        }
        if (ends.isAcknowledged() && (reinitialized || !wasAcknowledged)) {
            kit.timeline().decide(
                    Decision.Kind.ACKNOWLEDGED,
                    destination + " has loaded the initial data of " + source + ", " + ends.gauge().bytes()
                            + " bytes so far.");
        }
        if (isGivenUp() && !wasGivenUp) {
            kit.timeline().decide(
                    Decision.Kind.UNACKNOWLEDGED,
                    "It no longer waits for " + initialLeft + " bytes of initial data of " + source
                            + ": the device gave none of them in " + PATIENCE.toMillis()
                            + " ms of asking; expect a longer downtime.");
        }
    }
}
