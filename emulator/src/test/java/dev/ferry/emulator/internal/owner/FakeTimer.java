// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.util.Comparator;
import java.util.PriorityQueue;

/** A clock that a test moves; what is due is done on the thread of the test. */
final class FakeTimer implements TimedQueue.Timer {

    private record Due(long at, int number, Runnable action) {}

    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingInt(Due::number));
    private long now;
    private int number;
    boolean closed;

    @Override
    public void after(long nanos, Runnable action) {
        due.add(new Due(now + nanos, number++, action));
    }

    @Override
    public void close() {
        closed = true;
        due.clear();
    }

    /** Lets milliseconds pass. */
    void pass(long millis) {
        long until = now + millis * 1_000_000;
        while (!due.isEmpty() && due.peek().at() <= until) {
            Due next = due.poll();
            now = next.at();
            next.action().run();
        }
        now = until;
    }
}
