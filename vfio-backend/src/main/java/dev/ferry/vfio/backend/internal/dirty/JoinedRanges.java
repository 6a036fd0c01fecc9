// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.IovaRange;
import java.util.ArrayList;
import java.util.List;

/** Fewer ranges that cover the given ones: neighbours are joined over the smallest gaps first. */
final class JoinedRanges {

    /**
     * Joins.
     *
     * @param count 1 or more
     * @param ranges ascending, without overlap
     */
    static List<IovaRange> atMost(int count, List<IovaRange> ranges) {
        List<IovaRange> joined = new ArrayList<>(ranges);
        while (joined.size() > count) {
            int first = smallestGap(joined);
            IovaRange left = joined.get(first);
            IovaRange right = joined.remove(first + 1);
            joined.set(first, new IovaRange(left.iova(), right.end() - left.iova()));
        }
        return joined;
    }

    private static int smallestGap(List<IovaRange> ranges) {
        int smallest = 0;
        for (int i = 1; i < ranges.size() - 1; i++) {
            if (gap(ranges, i) < gap(ranges, smallest)) {
                smallest = i;
            }
        }
        return smallest;
    }

    private static long gap(List<IovaRange> ranges, int first) {
        return ranges.get(first + 1).iova() - ranges.get(first).end();
    }

    private JoinedRanges() {}
}
