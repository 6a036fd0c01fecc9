// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

/**
 * One range of I/O virtual addresses: what a device names when it reads or writes memory. With a passed-through device
 * these are the guest-physical addresses. Immutable.
 *
 * @param iova of its first byte, 0 or more
 * @param length in bytes, 1 or more
 */
public record IovaRange(long iova, long length) {

    /** Refuses ranges that are empty, negative or wrap around. */
    public IovaRange {
        if (iova < 0 || length < 1 || iova + length < 0) {
            throw new IllegalArgumentException("not a range of addresses: " + iova + " + " + length);
        }
    }

    /** The first address behind the range. */
    public long end() {
        return iova + length;
    }
}
