// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.vfio.backend.internal.uapi.Posix.PollFd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The native memory that the sessions of one device share, since at most one of them is alive: room for data on their
 * way from and to buffers that the kernel cannot reach, and for a poll. Sessions lock it while they use it.
 */
final class TransferBuffer implements AutoCloseable {
    static final int BYTES = 128 << 10;

    private final Arena arena = Arena.ofShared();
    private final ByteBuffer bytes = arena.allocate(BYTES, Long.BYTES).asByteBuffer();
    private final MemorySegment poll = arena.allocate(PollFd.BYTES, Long.BYTES);

    /** The whole room, from 0 to its capacity. */
    ByteBuffer bytes() {
        return bytes.clear();
    }

    MemorySegment poll() {
        return poll;
    }

    /** Gives the memory back, behind a transfer that is under way; no session may use it any more. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
