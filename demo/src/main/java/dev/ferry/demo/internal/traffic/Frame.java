// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.traffic;

import java.nio.ByteBuffer;

/**
 * One Ethernet frame with the time of a capture. Immutable.
 *
 * @param seconds since 1970, unsigned 32 bits
 * @param fraction microseconds or nanoseconds, as the capture counts
 * @param originalLength length on the wire, which a capture may have cut
 * @param bytes from position 0 to limit, read-only; never moved
 */
public record Frame(int seconds, int fraction, int originalLength, ByteBuffer bytes) {

    /** Fewest bytes of a frame: an Ethernet header. */
    public static final int MIN_BYTES = 14;
    /** Most bytes of a frame: an Ethernet header and 64 KiB. */
    public static final int MAX_BYTES = 65_550;

    /** Makes the bytes read-only. */
    public Frame {
        bytes = bytes.asReadOnlyBuffer();
    }

    /** Number of bytes. */
    public int length() {
        return bytes.remaining();
    }
}
