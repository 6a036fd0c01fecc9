// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.GuestMemory;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongConsumer;

/** Moves the memory of a paused guest through one direct buffer. Confined to one job. */
final class MemoryCopy {

    static final int CHUNK_BYTES = 1024 * 1024;

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK_BYTES);
    private final GuestCalls source;
    private final GuestCalls destination;
    private final List<GuestMemory.Range> ranges;
    private final StopSignal signal;
    private final LongConsumer counter;

    /**
     * Prepares what can be prepared before the pause.
     *
     * @throws MigrationException GUEST_FAILED when the two ends have different memory
     */
    MemoryCopy(GuestCalls source, GuestCalls destination, StopSignal signal, LongConsumer counter)
            throws MigrationException {
        this.source = source;
        this.destination = destination;
        this.ranges = source.ranges();
        this.signal = signal;
        this.counter = counter;
        List<GuestMemory.Range> atDestination = destination.ranges();
        if (!ranges.equals(atDestination)) {
            throw new MigrationException(Failure.of(
                    FailureCode.GUEST_FAILED,
                    "The guest's memory differs at the two ends, " + ranges + " at the source and " + atDestination
                            + " at the destination: start the destination's guest with the same memory."));
        }
    }

    /** Copies all of it. */
    void run() throws MigrationException {
        for (GuestMemory.Range range : ranges) {
            for (long done = 0; done < range.length(); done += CHUNK_BYTES) {
                copy(range.address() + done, (int) Math.min(CHUNK_BYTES, range.length() - done));
            }
        }
    }

    private void copy(long address, int bytes) throws MigrationException {
        signal.check();
        source.read(address, buffer.clear().limit(bytes));
        destination.write(address, buffer.flip());
        counter.accept(bytes);
    }
}
