// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.Decision;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;

/**
 * One device that saves while its guest runs. A round asks once how much there is and reads until there is no data for
 * now: asking again would make some devices capture their state again. The destination has loaded what was written to
 * it, so it has acknowledged the initial data when the last of them were written.
 */
final class DevicePreCopy {

    /** How often changed data are read in one round, from a device that changes as fast as it is read. */
    private static final int MAX_DIRTY_READS = 16;

    private final DeviceEnds ends;
    private final Kit kit;
    private long stateBytes = -1;
    private long initialLeft;
    private boolean reinitialized;
    private boolean wasAcknowledged;

    DevicePreCopy(DeviceEnds ends, Kit kit) {
        this.ends = ends;
        this.kit = kit;
    }

    /** One round. */
    void round(Gate gate) throws MigrationException {
        PrecopyInfo info = SessionBytes.precopyInfo(ends.source());
        if (stateBytes < 0) {
            stateBytes = ends.source().machine().stopCopySize();
        }
        reinitialized = info.reinitialized();
        wasAcknowledged = ends.isAcknowledged() && !reinitialized;
        initialLeft = info.initialBytes();
        ends.gauge().setRemaining(Math.max(stateBytes, info.totalBytes()));
        if (info.totalBytes() > 0) {
            read(gate);
        }
        ends.acknowledge(initialLeft == 0);
        ends.gauge().setRemaining(stateBytes);
    }

    private void read(Gate gate) throws MigrationException {
        ByteBuffer buffer = kit.buffers().take(kit.settings().chunkBytes());
        Pump pump = kit.pump(buffer, gate, ends.gauge());
        ByteSource saving = SessionBytes.running(ends.source());
        int dirtyReads = 0;
        while (dirtyReads < MAX_DIRTY_READS) {
            if (initialLeft == 0) {
                dirtyReads++;
            }
            int bytes = pump.once(saving, ends.loading());
            if (bytes == 0) {
                break;
            }
            initialLeft = Math.max(0, initialLeft - bytes);
        }
        kit.buffers().give(buffer);
    }

    /** How much it would save if it were stopped. */
    long stateBytes() {
        return Math.max(0, stateBytes);
    }

    /** Tells what the round brought; on the thread of the migration. */
    void tell() {
        String destination = ends.destination().id();
        if (reinitialized) {
            kit.timeline().decide(
                    Decision.Kind.REINITIALIZED,
                    ends.source().id() + " announced new initial data: " + destination + " has to acknowledge again.");
        }
        if (ends.isAcknowledged() && !wasAcknowledged) {
            kit.timeline().decide(
                    Decision.Kind.ACKNOWLEDGED,
                    destination + " has loaded the initial data of " + ends.source().id() + ", "
                            + ends.gauge().bytes() + " bytes so far.");
        }
    }
}
