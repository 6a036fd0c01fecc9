// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A row of bits, one per page, in a direct buffer of little-endian 64-bit words as dirty trackers fill it. Whole words
 * are looked at, and eight at a time where nothing is set, so that a sparse row costs what reading its memory costs.
 * Not thread-safe.
 */
final class PageBits {

    private static final int BITS = Long.SIZE;
    private static final int WORD_BYTES = Long.BYTES;
    private static final int BLOCK_WORDS = 8;
    private static final long ALL = -1L;

    /** Never written. */
    private static final byte[] CLEAR = new byte[8192];

    private final long size;
    private final int words;
    private final ByteBuffer buffer;

    /** So many bits, none set. */
    PageBits(long size) {
        this(size, ByteBuffer.allocateDirect(Math.toIntExact(bytesFor(size))));
    }

    /** So many bits at the begin of a direct buffer in which nothing is set. */
    PageBits(long size, ByteBuffer buffer) {
        this.size = size;
        this.words = Math.toIntExact((size + BITS - 1) / BITS);
        this.buffer = buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Memory that so many bits take. */
    static long bytesFor(long bits) {
        return (bits + BITS - 1) / BITS * WORD_BYTES;
    }

    long size() {
        return size;
    }

    /**
     * The bits of some pages, for a tracker to set.
     *
     * @param from a multiple of 64
     */
    ByteBuffer slice(long from, long bits) {
        int offset = Math.toIntExact(from / BITS) * WORD_BYTES;
        return buffer.slice(offset, (int) bytesFor(bits)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Sets the bits from one to before another. */
    void set(long from, long to) {
        for (long bit = from; bit < to; bit = wordEnd(bit)) {
            int word = (int) (bit / BITS);
            put(word, word(word) | mask(bit, to));
        }
    }

    /**
     * Sets the bits that are set in others, and clears those.
     *
     * @param from the bit that the first of the others stands for; a multiple of 64
     */
    void move(PageBits others, long from) {
        int first = Math.toIntExact(from / BITS);
        for (int word = 0; word < others.words; ) {
            long bits = others.word(word);
            if (bits == 0) {
                word = others.skip(word + 1);
            } else {
                put(first + word, word(first + word) | bits);
                others.put(word, 0);
                word++;
            }
        }
    }

    /** The first word at or behind one that lies in a block of eight where something is set, or near the end. */
    private int skip(int from) {
        int word = from;
        while (word + BLOCK_WORDS <= words && isBlockOf(0, word * WORD_BYTES)) {
            word += BLOCK_WORDS;
        }
        return word;
    }

    private boolean isBlockOf(long bits, int at) {
        return ((buffer.getLong(at) ^ bits)
                        | (buffer.getLong(at + WORD_BYTES) ^ bits)
                        | (buffer.getLong(at + 2 * WORD_BYTES) ^ bits)
                        | (buffer.getLong(at + 3 * WORD_BYTES) ^ bits)
                        | (buffer.getLong(at + 4 * WORD_BYTES) ^ bits)
                        | (buffer.getLong(at + 5 * WORD_BYTES) ^ bits)
                        | (buffer.getLong(at + 6 * WORD_BYTES) ^ bits)
                        | (buffer.getLong(at + 7 * WORD_BYTES) ^ bits))
                == 0;
    }

    /** Takes a run of bits that were set. */
    @FunctionalInterface
    interface Runs {
        /** Takes the bits from one to before another. */
        void run(long from, long to) throws MigrationException;
    }

    /** Gives every run of bits that are set, ascending, and clears it; its ends may still be set while it is given. */
    void drain(Runs runs) throws MigrationException {
        // Where the run began that reaches to the end of the last word; negative when there is none.
        long open = -1;
        for (int word = 0; word < words; ) {
            long bits = word(word);
            int next = word + 1;
            if (bits == ALL) {
                open = open < 0 ? (long) word * BITS : open;
                put(word, 0);
                next = clearFullBlocks(next);
            } else {
                if (open >= 0) {
                    int more = Long.numberOfTrailingZeros(~bits);
                    give(open, (long) word * BITS + more, runs);
                    open = -1;
                    bits &= ALL << more;
                }
                open = bits == 0 ? open : drain(word, bits, runs);
                put(word, 0);
                next = bits == 0 ? skip(next) : next;
            }
            word = next;
        }
        if (open >= 0) {
            give(open, size, runs);
        }
    }

    /** Gives the runs in a word that end in it; answers where the one begins that does not, or -1. */
    private long drain(int word, long bits, Runs runs) throws MigrationException {
        long base = (long) word * BITS;
        for (long left = bits; left != 0; ) {
            int from = Long.numberOfTrailingZeros(left);
            int to = from + Long.numberOfTrailingZeros(~(left >>> from));
            if (to == BITS) {
                return base + from;
            }
            give(base + from, base + to, runs);
            left &= ALL << to;
        }
        return -1;
    }

    /** Bits behind the last page, which only a tracker that breaks its contract sets, are left out. */
    private void give(long from, long to, Runs runs) throws MigrationException {
        if (from < size) {
            runs.run(from, Math.min(to, size));
        }
    }

    /** In pieces that are still in the cache when they are cleared; answers the first word that is left. */
    private int clearFullBlocks(int from) {
        int done = from;
        int end = fullBlocks(done);
        while (end > done) {
            buffer.put(done * WORD_BYTES, CLEAR, 0, (end - done) * WORD_BYTES);
            done = end;
            end = fullBlocks(done);
        }
        return done;
    }

    private int fullBlocks(int from) {
        int most = Math.min(words, from + CLEAR.length / WORD_BYTES);
        int word = from;
        while (word + BLOCK_WORDS <= most && isBlockOf(ALL, word * WORD_BYTES)) {
            word += BLOCK_WORDS;
        }
        return word;
    }

    /** How many bits are set. */
    long count() {
        long set = 0;
        for (int word = 0; word < words; word++) {
            set += Long.bitCount(word(word));
        }
        return set;
    }

    private static long wordEnd(long bit) {
        return (bit / BITS + 1) * BITS;
    }

    private static long mask(long from, long to) {
        long behind = to - from / BITS * BITS;
        long below = behind >= BITS ? ALL : (1L << behind) - 1;
        return below & (ALL << (from % BITS));
    }

    private long word(int index) {
        return buffer.getLong(index * WORD_BYTES);
    }

    private void put(int index, long value) {
        buffer.putLong(index * WORD_BYTES, value);
    }
}
