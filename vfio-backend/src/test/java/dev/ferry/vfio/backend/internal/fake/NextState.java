// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

/** The kernel's next-step function, with the table written out in the numbers of the states, ERROR = 0 first. */
final class NextState {
    private static final int ERROR = 0;

    /** Rows: present state; columns: requested state; both in the order of the numbers 0 to 7. */
    private static final int[][] TABLE = {
        //  ERROR STOP RUNNING STOP_COPY RESUMING RUNNING_P2P PRE_COPY PRE_COPY_P2P
        {0, 0, 0, 0, 0, 0, 0, 0},
        {0, 1, 5, 3, 4, 5, 5, 5},
        {0, 5, 2, 5, 5, 5, 6, 5},
        {0, 1, 1, 3, 1, 1, 0, 0},
        {0, 1, 1, 1, 4, 1, 1, 1},
        {0, 1, 2, 1, 1, 5, 2, 7},
        {0, 2, 2, 7, 2, 2, 6, 7},
        {0, 5, 5, 3, 5, 5, 6, 7},
    };

    private static final long[] NEEDS = {0, 1, 0, 1, 1, 1 | 2, 1 | 4, 1 | 2 | 4};

    static boolean isSupported(long flags, int state) {
        return state > ERROR && state < NEEDS.length && (flags & NEEDS[state]) == NEEDS[state];
    }

    /** The next state, or -1 for -EINVAL. */
    static int of(long flags, int from, int to) {
        if (!isSupported(flags, from) || !isSupported(flags, to)) {
            return -1;
        }
        int next = TABLE[from][to];
        while (next != ERROR && !isSupported(flags, next)) {
            next = TABLE[next][to];
        }
        return next == ERROR ? -1 : next;
    }

    private NextState() {}
}
