// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

/**
 * What became of the frames. Immutable.
 *
 * @param sent frames put into the network
 * @param received frames that came out of the guest
 * @param lost frames sent that never came out
 * @param duplicated frames that came out once more
 * @param reordered frames that came out after one that was sent later
 * @param foreign frames that came out and were never sent like that
 * @param atSource frames that came out at the source
 * @param atDestination frames that came out at the destination
 */
public record FrameCounts(
        long sent,
        long received,
        long lost,
        long duplicated,
        long reordered,
        long foreign,
        long atSource,
        long atDestination) {

    /** No frames. */
    static final FrameCounts NONE = new FrameCounts(0, 0, 0, 0, 0, 0, 0, 0);

    /** The sum of both. */
    FrameCounts plus(FrameCounts other) {
        return new FrameCounts(
                sent + other.sent,
                received + other.received,
                lost + other.lost,
                duplicated + other.duplicated,
                reordered + other.reordered,
                foreign + other.foreign,
                atSource + other.atSource,
                atDestination + other.atDestination);
    }

    /** Whether every frame came out once, in order, with all its bytes. */
    public boolean isFlawless() {
        return received == sent && lost == 0 && duplicated == 0 && reordered == 0 && foreign == 0;
    }
}
