// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/**
 * The packet buffers of one queue pair that no queue holds: a stack of addresses in guest memory. Used by one thread at
 * a time.
 *
 * <p>Layout, little-endian: number of free buffers at 0 (4 bytes), their addresses from 8 on (8 bytes each).
 */
final class BufferPool {

    private static final int COUNT = 0;
    private static final int ADDRESSES = 8;

    private final GuestRam ram;
    private final long base;

    /** The pool at an address. */
    BufferPool(GuestRam ram, long base) {
        this.ram = ram;
        this.base = base;
    }

    /** Bytes of a pool that can hold so many buffers. */
    static int bytes(int buffers) {
        return ADDRESSES + buffers * Long.BYTES;
    }

    /** Empties it. */
    void clear() {
        ram.u32(base + COUNT, 0);
    }

    boolean isEmpty() {
        return ram.u32(base + COUNT) == 0;
    }

    /** Takes the buffer that was put in last. */
    long take() {
        int count = ram.u32(base + COUNT) - 1;
        ram.u32(base + COUNT, count);
        return ram.u64(base + ADDRESSES + (long) count * Long.BYTES);
    }

    /** Puts a buffer in. */
    void put(long address) {
        int count = ram.u32(base + COUNT);
        ram.u64(base + ADDRESSES + (long) count * Long.BYTES, address);
        ram.u32(base + COUNT, count + 1);
    }
}
