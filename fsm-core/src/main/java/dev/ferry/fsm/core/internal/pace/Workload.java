// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.pace;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.PriorityQueue;

/** How long pieces of work take that so many threads do, each taking the next piece when it has done one. */
public final class Workload {

    private Workload() {}

    /**
     * From the begin of the first piece to the end of the last.
     *
     * @param pieces in the order in which they are taken
     * @param threads 1 or more
     */
    public static Duration time(List<Duration> pieces, int threads) {
        PriorityQueue<Duration> ends = new PriorityQueue<>(Collections.nCopies(threads, Duration.ZERO));
        Duration last = Duration.ZERO;
        for (Duration piece : pieces) {
            Duration end = ends.remove().plus(piece);
            ends.add(end);
            last = end.compareTo(last) > 0 ? end : last;
        }
        return last;
    }
}
