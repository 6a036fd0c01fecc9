// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/**
 * A program of a guest that writes memory: page after page of its working set, round and round, each with a value that
 * follows from how many were written before. Immutable.
 *
 * @param pagesPerSecond pages of 4 KiB written in a second, 0 for no such program, at most {@link #MOST_PER_SECOND}; a
 *     guest that cannot keep up writes less and does not make up for it
 * @param pages size of the working set in pages; 0 for all memory that the driver leaves
 */
public record MemoryLoad(int pagesPerSecond, int pages) {

    /** The highest rate that can be asked for: 4 GB/s. */
    public static final int MOST_PER_SECOND = 1_000_000;

    /** No such program. */
    public static final MemoryLoad NONE = new MemoryLoad(0, 0);

    /** Refuses what no guest does. */
    public MemoryLoad {
        if (pagesPerSecond < 0 || pagesPerSecond > MOST_PER_SECOND || pages < 0) {
            throw new IllegalArgumentException("a guest writes 0 to " + MOST_PER_SECOND
                    + " pages per second of a working set of 0 pages or more, not " + pagesPerSecond + " of " + pages);
        }
    }
}
