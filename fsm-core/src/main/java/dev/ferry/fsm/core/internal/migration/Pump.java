// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;

/**
 * Moves bytes through one direct buffer that is used again and again, so that memory does not grow with the size of the
 * state. Looks at the stop signal before each chunk. Confined to one job.
 */
final class Pump {

    private final ByteBuffer buffer;
    private final StopSignal signal;
    private final LongConsumer counter;

    /** A pump with a buffer of its own; {@code counter} is told the bytes of each chunk. */
    Pump(int chunkBytes, StopSignal signal, LongConsumer counter) {
        this.buffer = ByteBuffer.allocateDirect(chunkBytes);
        this.signal = signal;
        this.counter = counter;
    }

    /**
     * A pump for work that must be finished whatever else happens: the way back. It has a buffer of its own, since a
     * device that did not answer in time may still read from this one.
     */
    Pump unstoppable() {
        return new Pump(buffer.capacity(), StopSignal.withoutLimit(), bytes -> {});
    }

    /** Moves one chunk and answers as {@link ByteSource#read} does. */
    int once(ByteSource from, ByteSink to) throws MigrationException {
        signal.check();
        buffer.clear();
        int bytes = from.read(buffer);
        if (bytes > 0) {
            buffer.flip();
            to.write(buffer);
            counter.accept(bytes);
        }
        return bytes;
    }

    /** Moves everything and answers how many bytes that were. The source must not answer 0. */
    long toEnd(ByteSource from, ByteSink to) throws MigrationException {
        long moved = 0;
        for (int bytes = once(from, to); bytes != ByteSource.END; bytes = once(from, to)) {
            moved += bytes;
        }
        return moved;
    }
}
