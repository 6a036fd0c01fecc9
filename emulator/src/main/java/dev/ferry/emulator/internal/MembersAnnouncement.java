// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Tells how many members there are, as often as that changes and whoever changes it, on the threads that do: one at a
 * time, never with an older number after a newer one, and without a lock, since those who are told may do anything.
 */
final class MembersAnnouncement {

    private final Runnable tell;
    /** Requests that are not answered yet. */
    private final AtomicInteger requests = new AtomicInteger();

    /**
     * An announcement of one adapter.
     *
     * @param tell reads the number and tells it; must not throw
     */
    MembersAnnouncement(Runnable tell) {
        this.tell = tell;
    }

    /** The number has changed; when another thread is telling, that one tells again. */
    void announce() {
        if (requests.getAndIncrement() > 0) {
            return;
        }
        int answered;
        do {
            answered = requests.get();
            tell.run();
        } while (requests.addAndGet(-answered) > 0);
    }
}
