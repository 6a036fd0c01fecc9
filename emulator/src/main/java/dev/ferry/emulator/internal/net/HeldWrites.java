// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;

/**
 * What the driver of a frozen device writes: registers in their order, and a bit per queue that it notified. Guarded by
 * the function's lock.
 */
final class HeldWrites {

    /** Register writes that are kept. A driver sets a device up with fewer, and should be stopped itself. */
    static final int MOST = 8192;

    /** One write to the common configuration. */
    record Held(long offset, int size, long value) {}

    private final Deque<Held> writes = new ArrayDeque<>(0);
    private final BitSet kicks = new BitSet();
    private boolean lost;

    /** Keeps a write, or takes note that one was lost. */
    void hold(long offset, int size, long value) {
        if (writes.size() == MOST) {
            lost = true;
        } else {
            writes.add(new Held(offset, size, value));
        }
    }

    /** Keeps a notification. */
    void kick(int queue) {
        kicks.set(queue);
    }

    /** Whether a write was lost, so that driver and device no longer agree. */
    boolean isLost() {
        return lost;
    }

    /** Takes the first write that is left; null when there is none. */
    Held poll() {
        return writes.poll();
    }

    /** The queues that were notified; shared. */
    BitSet kicks() {
        return kicks;
    }

    void clear() {
        writes.clear();
        kicks.clear();
        lost = false;
    }
}
