// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The direct buffers of one migration: used again, and never more than threads work for it at a time. A buffer that is
 * not given back, after a failure, is not used again: a device that did not answer may still read from it. Thread-safe.
 */
public final class Buffers {

    private final Deque<ByteBuffer> free = new ArrayDeque<>();
    private long allocated;

    /** A cleared buffer of this size. */
    public synchronized ByteBuffer take(int bytes) {
        ByteBuffer found = free.stream()
                .filter(buffer -> buffer.capacity() == bytes)
                .findFirst()
                .orElse(null);
        if (found != null) {
            free.remove(found);
            return found.clear();
        }
        allocated += bytes;
        return ByteBuffer.allocateDirect(bytes);
    }

    /** Gives a buffer back. */
    public synchronized void give(ByteBuffer buffer) {
        free.push(buffer);
    }

    /** Bytes of all buffers that were made. */
    public synchronized long allocatedBytes() {
        return allocated;
    }
}
