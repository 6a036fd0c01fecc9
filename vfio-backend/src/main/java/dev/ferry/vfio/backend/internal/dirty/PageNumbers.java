// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * A set of page numbers, one bit per page, in blocks that are there only where a bit is: 1 GiB of memory in pages of 4
 * KiB takes 32 KiB. Goes to and from bitmaps of 64-bit words, which may begin at any page. Not thread-safe.
 */
final class PageNumbers {
    private static final int BLOCK_WORDS = 1 << 12;

    private final Map<Long, long[]> blocks = new HashMap<>();

    /** Adds the pages of a bitmap; its bit n is page {@code first + n}. */
    void add(long first, MemorySegment bitmap) {
        int shift = (int) (first % Long.SIZE);
        long word = first / Long.SIZE;
        for (long at = 0; at < bitmap.byteSize(); at += Long.BYTES, word++) {
            long bits = bitmap.get(JAVA_LONG, at);
            set(word, bits << shift);
            if (shift != 0) {
                set(word + 1, bits >>> Long.SIZE - shift);
            }
        }
    }

    private void set(long word, long bits) {
        if (bits != 0) {
            long[] block = blocks.computeIfAbsent(word / BLOCK_WORDS, key -> new long[BLOCK_WORDS]);
            block[(int) (word % BLOCK_WORDS)] |= bits;
        }
    }

    /** Sets the bits of pages in a bitmap as {@link #add} takes it, and forgets these pages. */
    void moveTo(long first, long count, MemorySegment bitmap) {
        if (blocks.isEmpty()) {
            return;
        }
        int shift = (int) (first % Long.SIZE);
        long word = first / Long.SIZE;
        long left = count;
        for (long at = 0; left > 0; at += Long.BYTES, left -= Long.SIZE, word++) {
            long wanted = left < Long.SIZE ? (1L << left) - 1 : -1;
            long bits = take(word, wanted << shift) >>> shift;
            if (shift != 0) {
                bits |= take(word + 1, wanted >>> Long.SIZE - shift) << Long.SIZE - shift;
            }
            bitmap.set(JAVA_LONG, at, bitmap.get(JAVA_LONG, at) | bits);
        }
    }

    private long take(long word, long wanted) {
        long[] block = blocks.get(word / BLOCK_WORDS);
        if (block == null) {
            return 0;
        }
        int at = (int) (word % BLOCK_WORDS);
        long bits = block[at] & wanted;
        block[at] &= ~wanted;
        return bits;
    }

    /** Forgets all. */
    void clear() {
        blocks.clear();
    }
}
