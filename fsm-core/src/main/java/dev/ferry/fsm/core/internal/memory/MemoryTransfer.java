// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.pace.TokenBucket;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Carries memory of a guest from one end to the other, in large pieces; without a copy of our own where the source's
 * memory is mapped. One call at a time.
 */
public final class MemoryTransfer {

    /** Most that is carried at a time. */
    static final int CHUNK_BYTES = 1024 * 1024;

    private final GuestCalls source;
    private final GuestCalls destination;
    private final TokenBucket pace;
    private final Buffers buffers;
    private final LongConsumer counter;

    /** {@code counter} is told the bytes of each piece. */
    public MemoryTransfer(
            GuestCalls source, GuestCalls destination, TokenBucket pace, Buffers buffers, LongConsumer counter) {
        this.source = source;
        this.destination = destination;
        this.pace = pace;
        this.buffers = buffers;
        this.counter = counter;
    }

    /** Carries everything. */
    public void all(List<IovaRange> ranges, Gate gate) throws MigrationException {
        for (IovaRange range : ranges) {
            run(range.iova(), range.length(), gate);
        }
    }

    /** Carries what a bitmap says, and leaves it empty. */
    public void dirty(DirtyBitmap bitmap, Gate gate) throws MigrationException {
        bitmap.drain((iova, length) -> run(iova, length, gate));
    }

    private void run(long iova, long length, Gate gate) throws MigrationException {
        int chunk = pace.chunkOf(CHUNK_BYTES);
        for (long done = 0; done < length; done += chunk) {
            int bytes = (int) Math.min(chunk, length - done);
            gate.check();
            pace.take(bytes, gate);
            piece(iova + done, bytes);
            counter.accept(bytes);
        }
    }

    private void piece(long iova, int bytes) throws MigrationException {
        Optional<ByteBuffer> view = source.view(iova, bytes);
        if (view.isPresent()) {
            destination.write(iova, view.get());
            return;
        }
        ByteBuffer buffer = buffers.take(CHUNK_BYTES);
        source.read(iova, buffer.limit(bytes));
        destination.write(iova, buffer.flip());
        buffers.give(buffer);
    }
}
