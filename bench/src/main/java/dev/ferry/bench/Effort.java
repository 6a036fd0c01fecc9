// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

/**
 * How much a part of {@link LiveFigures} does.
 *
 * @param warmUps runs that do not count
 * @param runs that count; odd, so that one is the median
 * @param guestBytes memory of the guest whose bitmap is harvested
 * @param memoryBytes memory of the guest that is carried
 * @param devices how many VFs migrate together
 * @param queuePairs sizes of a VF's state
 */
record Effort(int warmUps, int runs, long guestBytes, int memoryBytes, int[] devices, int[] queuePairs) {

    /** What the README has figures of. */
    static final Effort FULL =
            new Effort(4, 9, 1L << 40, 1 << 30, new int[] {1, 4, 16, 64, 255}, new int[] {1, 16, 128});

    /** Everything once and small: only whether it works. */
    static final Effort ONCE = new Effort(0, 1, 1L << 30, 1 << 24, new int[] {1, 3}, new int[] {1, 4});

    /** The same with so many runs, where one takes long; no more than there are. */
    Effort withRuns(int fewerWarmUps, int fewerRuns) {
        return new Effort(
                Math.min(warmUps, fewerWarmUps),
                Math.min(runs, fewerRuns),
                guestBytes,
                memoryBytes,
                devices,
                queuePairs);
    }
}
