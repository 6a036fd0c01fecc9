// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * Whose turn it is: migrations start in the order in which they came, as far as the limits allow. One that waits for a
 * host also keeps that host for itself: later ones may pass it only when they need none of its hosts in the same
 * direction, so that nobody waits for ever and a busy host holds up only its own. Not thread-safe.
 *
 * @param <T> what waits
 */
final class Turns<T> {

    private final List<Entry<T>> waiting = new ArrayList<>();
    private final List<Entry<T>> running = new ArrayList<>();
    private Limits limits;

    /** Nobody waits. */
    Turns(Limits limits) {
        this.limits = limits;
    }

    /**
     * How many may run at a time; each 1 or more.
     *
     * @param total in all
     * @param outgoing from one host
     * @param incoming to one host
     */
    record Limits(int total, int outgoing, int incoming) {}

    /** What waits or runs, the hosts it leaves and those it goes to. */
    private record Entry<T>(T job, Set<String> from, Set<String> to) {}

    /** Changes the limits; those that run go on. */
    void setLimits(Limits changed) {
        limits = changed;
    }

    /** Adds one behind all others. */
    void add(T job, Set<String> from, Set<String> to) {
        waiting.add(new Entry<>(job, Set.copyOf(from), Set.copyOf(to)));
    }

    /** Those whose turn it is now, in order; they count as running from now on. */
    List<T> next() {
        List<T> next = new ArrayList<>();
        Set<String> keptFrom = new HashSet<>();
        Set<String> keptTo = new HashSet<>();
        for (Iterator<Entry<T>> entries = waiting.iterator(); entries.hasNext() && running.size() < limits.total(); ) {
            Entry<T> entry = entries.next();
            boolean kept = entry.from().stream().anyMatch(keptFrom::contains)
                    || entry.to().stream().anyMatch(keptTo::contains);
            if (kept || !hasRoom(entry)) {
                keptFrom.addAll(entry.from());
                keptTo.addAll(entry.to());
                continue;
            }
            entries.remove();
            running.add(entry);
            next.add(entry.job());
        }
        return next;
    }

    private boolean hasRoom(Entry<T> entry) {
        return entry.from().stream().allMatch(host -> outgoing(host) < limits.outgoing())
                && entry.to().stream().allMatch(host -> incoming(host) < limits.incoming());
    }

    private long outgoing(String host) {
        return running.stream().filter(entry -> entry.from().contains(host)).count();
    }

    private long incoming(String host) {
        return running.stream().filter(entry -> entry.to().contains(host)).count();
    }

    /** One does not wait any more; answers whether it did. */
    boolean withdraw(T job) {
        return waiting.removeIf(entry -> entry.job() == job);
    }

    /** One runs no more. */
    void ended(T job) {
        running.removeIf(entry -> entry.job() == job);
    }
}
