// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The direct buffers of one migration: used again, and never more than threads work for it at a time. A buffer that is
 * not given back, after a failure, is not used again: a device that did not answer may still read from it. Thread-safe.
 */
public final class Buffers {

    /** By their size. No buffer is ever looked for: buffers with nothing left to read equal each other. */
    private final Map<Integer, Deque<ByteBuffer>> free = new HashMap<>();

    private long allocated;

    /** A cleared buffer of this size. */
    public synchronized ByteBuffer take(int bytes) {
        ByteBuffer used = ofSize(bytes).poll();
        if (used != null) {
            return used.clear();
        }
        allocated += bytes;
        return ByteBuffer.allocateDirect(bytes);
    }

    /** Gives a buffer back. */
    public synchronized void give(ByteBuffer buffer) {
        ofSize(buffer.capacity()).push(buffer);
    }

    private Deque<ByteBuffer> ofSize(int bytes) {
        return free.computeIfAbsent(bytes, size -> new ArrayDeque<>());
    }

    /** Bytes of all buffers that were made. */
    public synchronized long allocatedBytes() {
        return allocated;
    }
}
