// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Which pages of a guest are written. */
enum WrittenPages {
    /** None. */
    NOTHING,
    /** Single pages, one of ten thousand. */
    SPARSE,
    /** All but single ones, one of ten thousand. */
    DENSE,
    /** Every second one by chance, which no guest does: as many runs as there can be, nearly. */
    RANDOM;

    /** Size of a page. */
    static final long PAGE_BYTES = 4096;

    /** One page of 10,000 is in one word of 156. */
    private static final int WORDS_PER_SINGLE = 156;

    /** Bytes of a bitmap. */
    static int bitmapBytes(long guestBytes) {
        return Math.toIntExact(guestBytes / PAGE_BYTES / Byte.SIZE);
    }

    /** A bit per page; the same for the same seed. */
    ByteBuffer bits(long guestBytes, long seed) {
        ByteBuffer bits = empty(guestBytes);
        SplittableRandom random = new SplittableRandom(seed);
        for (int at = 0; at < bits.capacity(); at += Long.BYTES) {
            long single = random.nextInt(WORDS_PER_SINGLE) == 0 ? 1L << random.nextInt(Long.SIZE) : 0;
            bits.putLong(at, switch (this) {
                case NOTHING -> 0;
                case SPARSE -> single;
                case DENSE -> ~single;
                case RANDOM -> random.nextLong();
            });
        }
        return bits;
    }

    /** A bitmap in which nothing is set. */
    static ByteBuffer empty(long guestBytes) {
        return ByteBuffer.allocateDirect(bitmapBytes(guestBytes)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
