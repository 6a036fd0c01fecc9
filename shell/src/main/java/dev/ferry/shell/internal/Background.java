// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.migration.Migration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The migrations that were started in the background and whose end was not told yet: one may fail before anybody asks
 * for those under way. Thread-safe.
 */
final class Background {

    /** Older ones are forgotten; {@code report} may still have them. */
    private static final int MOST = 1_000;

    private final Deque<Migration> untold = new ArrayDeque<>();

    synchronized void add(Migration migration) {
        if (untold.size() == MOST) {
            untold.removeFirst();
        }
        untold.addLast(migration);
    }

    /** Those not told yet, oldest first. */
    synchronized List<Migration> untold() {
        return new ArrayList<>(untold);
    }

    /** Their ends are told now. */
    synchronized void told(List<Migration> ended) {
        untold.removeAll(ended);
    }
}
