// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The devices that are leaving, by name, each until it is closed. Thread-safe. */
final class Leavings {
    private static final Logger LOG = LoggerFactory.getLogger(Leavings.class);

    private final Map<String, Leaving> underWay = new ConcurrentHashMap<>();
    private final Consumer<String> gone;
    private final Executor threads;

    /**
     * None yet.
     *
     * @param gone told the name of each device that is closed, on the device's own thread, where it may wait; not told
     *     of a device for which no thread could be started
     */
    Leavings(Consumer<String> gone) {
        this(gone, Leaving::onThread);
    }

    Leavings(Consumer<String> gone, Executor threads) {
        this.gone = gone;
        this.threads = threads;
    }

    /** A device is leaving from now on; none of the same name may be. Gives the task that unregisters and closes it. */
    Runnable add(String name, String id, Runnable unregister, Runnable close) {
        Leaving leaving = new Leaving(id);
        if (underWay.putIfAbsent(name, leaving) != null) {
            throw new IllegalStateException(id + " is leaving already");
        }
        return () -> leaving.begin(threads, unregister, () -> {
            try {
                close.run();
            } finally {
                underWay.remove(name);
            }
        }, () -> gone.accept(name));
    }

    /** Whether a device is leaving and not closed yet. */
    boolean has(String name) {
        return underWay.containsKey(name);
    }

    /** What keeps a device from being closed; nothing when it is closed, or was never here. */
    Optional<String> obstacle(String name) {
        return Optional.ofNullable(underWay.get(name)).map(Leaving::obstacle);
    }

    /** Waits for these devices together, and says in the log which are not closed when the time is over. */
    void awaitThese(Collection<String> names, long millis) {
        List<Leaving> these =
                names.stream().flatMap(name -> Stream.ofNullable(underWay.get(name))).toList();
        for (Leaving leaving : notClosedAt(deadline(millis), these)) {
            if (Thread.currentThread().isInterrupted()) {
                LOG.info("{} is being closed; an interrupted thread does not wait for that", leaving.id());
            } else {
                LOG.warn("{}", leaving.obstacle());
            }
        }
    }

    /**
     * Waits for all devices: first until no migration uses them any more, then until they are closed.
     *
     * @return what keeps the devices that are not closed when the time is over, a sentence for each
     */
    List<String> awaitAll(long withdrawnMillis, long closedMillis) {
        List<Leaving> all = List.copyOf(underWay.values());
        long deadline = deadline(withdrawnMillis);
        all.forEach(leaving -> leaving.awaitWithdrawn(deadline));
        return notClosedAt(deadline(closedMillis), all).stream().map(Leaving::obstacle).toList();
    }

    private static List<Leaving> notClosedAt(long deadline, List<Leaving> leavings) {
        return leavings.stream().filter(leaving -> !leaving.awaitClosed(deadline)).toList();
    }

    private static long deadline(long millis) {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
