// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import java.nio.ByteBuffer;
import java.util.function.IntFunction;

/**
 * Collects one payload at a time. Its memory follows the bytes that arrived, never the size that a header claims, and
 * is kept for the next payload.
 *
 * <p>Not thread-safe.
 */
final class PayloadBuffer {

    /** The first allocation: enough for one device of a few dozen queues, so that most images need no second. */
    static final int FIRST_BYTES = 64 * 1024;

    private final IntFunction<ByteBuffer> memory;
    private ByteBuffer bytes;

    /** A buffer that takes memory from {@code memory}, with the size as argument. */
    PayloadBuffer(IntFunction<ByteBuffer> memory) {
        this.memory = memory;
        this.bytes = memory.apply(0);
    }

    /** Bytes collected. */
    int size() {
        return bytes.position();
    }

    /** Forgets what was collected. */
    void clear() {
        bytes.clear();
    }

    /**
     * Moves bytes in.
     *
     * @param count at most what {@code from} has left
     * @param payloadBytes size of the whole payload; memory never exceeds it and {@link #FIRST_BYTES}
     */
    void append(ByteBuffer from, int count, int payloadBytes) {
        if (bytes.remaining() < count) {
            grow(count, payloadBytes);
        }
        bytes.put(bytes.position(), from, from.position(), count);
        bytes.position(bytes.position() + count);
        from.position(from.position() + count);
    }

    /** What was collected, as a view. */
    ByteBuffer payload() {
        return bytes.slice(0, bytes.position());
    }

    /** Bytes of memory held. */
    int capacity() {
        return bytes.capacity();
    }

    private void grow(int count, int payloadBytes) {
        long doubled = Math.max(FIRST_BYTES, 2L * (bytes.position() + count));
        ByteBuffer larger = memory.apply((int) Math.min(doubled, Math.max(payloadBytes, FIRST_BYTES)));
        larger.put(bytes.flip());
        bytes = larger;
    }
}
