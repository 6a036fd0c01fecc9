// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import java.nio.ByteBuffer;

/**
 * What a harvest is compared with: one pass over a bitmap that looks at it word by word and adds up the lengths of all
 * runs in a word. Both ways answer how many bits are set.
 */
final class PlainScan {

    private PlainScan() {}

    /** Reads alone. */
    static long read(ByteBuffer bits) {
        long pages = 0;
        for (int at = 0; at < bits.capacity(); at += Long.BYTES) {
            pages += pagesOf(bits.getLong(at));
        }
        return pages;
    }

    /** Copies every word to another bitmap and clears it, as one who takes a record of writes must. */
    static long take(ByteBuffer bits, ByteBuffer into) {
        long pages = 0;
        for (int at = 0; at < bits.capacity(); at += Long.BYTES) {
            long word = bits.getLong(at);
            into.putLong(at, word);
            bits.putLong(at, 0);
            pages += pagesOf(word);
        }
        return pages;
    }

    private static long pagesOf(long word) {
        if (word == -1L) {
            return Long.SIZE;
        }
        long pages = 0;
        for (long left = word; left != 0; ) {
            int from = Long.numberOfTrailingZeros(left);
            int run = Long.numberOfTrailingZeros(~(left >>> from));
            pages += run;
            left = from + run >= Long.SIZE ? 0 : left & -1L << from + run;
        }
        return pages;
    }
}
