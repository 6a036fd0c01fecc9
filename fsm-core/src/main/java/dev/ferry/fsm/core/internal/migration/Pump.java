// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.pace.TokenBucket;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;

/**
 * Moves bytes through one direct buffer that is used again and again, so that memory does not grow with the size of the
 * state. Looks at the gate before each chunk. Confined to one piece of work.
 */
final class Pump {

    private final ByteBuffer buffer;
    private final Gate gate;
    private final TokenBucket pace;
    private final LongConsumer counter;

    /** A pump with this buffer; {@code counter} is told the bytes of each chunk. */
    Pump(ByteBuffer buffer, Gate gate, TokenBucket pace, LongConsumer counter) {
        this.buffer = buffer;
        this.gate = gate;
        this.pace = pace;
        this.counter = counter;
    }

    /** A pump with a buffer of its own, as fast as it goes, which counts nothing. */
    static Pump unpaced(int chunkBytes, Gate gate) {
        return new Pump(
                ByteBuffer.allocateDirect(chunkBytes),
                gate,
                new TokenBucket(Bandwidth.UNLIMITED, TimeSource.SYSTEM),
                bytes -> {});
    }

    /**
     * A pump for work that must be finished whatever else happens: the way back. It has a buffer of its own, since a
     * device that did not answer in time may still read from this one.
     */
    Pump unstoppable() {
        return unpaced(buffer.capacity(), () -> {});
    }

    /** Moves one chunk and answers as {@link ByteSource#read} does. */
    int once(ByteSource from, ByteSink to) throws MigrationException {
        gate.check();
        buffer.clear().limit(pace.chunkOf(buffer.capacity()));
        int bytes = from.read(buffer);
        if (bytes > 0) {
            buffer.flip();
            pace.take(bytes, gate);
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
