// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * The services that are registered, by the devices' names, until they are sent off. Thread-safe; only the thread that
 * has the {@link Turn} adds to them.
 */
final class ServedDevices {

    /** All that the service of a device tells that is not open. */
    record Explanation(FoundDevice device, boolean configured, String reason) {}

    /**
     * What is registered for one device: an open one, or the reason why it is not.
     *
     * @param id under which it is registered
     * @param explanation of one that is not open
     * @param lent another process has it open, too
     */
    record Served(
            String id,
            Optional<DriverFactory.Driven> driven,
            Optional<Explanation> explanation,
            boolean lent,
            Runnable unregister) {

        static Served open(String id, DriverFactory.Driven driven, boolean lent, Runnable unregister) {
            return new Served(id, Optional.of(driven), Optional.empty(), lent, unregister);
        }

        static Served explained(String id, Explanation explanation, Runnable unregister) {
            return new Served(id, Optional.empty(), Optional.of(explanation), false, unregister);
        }

        boolean isOpen() {
            return driven.isPresent();
        }

        /** Whether its service tells just this. */
        boolean isExplainedBy(Explanation now) {
            return explanation.equals(Optional.of(now));
        }

        private void close() {
            driven.ifPresent(DriverFactory.Driven::close);
        }
    }

    private final Map<String, Served> served = new LinkedHashMap<>();
    private final Leavings leavings;
    private final long waitMillis;

    /**
     * Nothing yet.
     *
     * @param waitMillis how long a thread waits for devices that leave
     */
    ServedDevices(Leavings leavings, long waitMillis) {
        this.leavings = leavings;
        this.waitMillis = waitMillis;
    }

    synchronized Optional<Served> get(String name) {
        return Optional.ofNullable(served.get(name));
    }

    /** Keeps what was registered for a device for which there is {@linkplain #makeRoom room}. */
    synchronized void put(String name, Served added) {
        served.put(name, added);
    }

    /** Sends off the service of a device, and waits. Gives whether it has left. */
    boolean makeRoom(String name) {
        withdraw((one, now) -> one.equals(name));
        return !leavings.has(name);
    }

    /** Sends these off, and waits for all of them together. */
    void withdraw(BiPredicate<String, Served> which) {
        leavings.awaitThese(sendOff(which), waitMillis);
    }

    /** Sends all off without waiting. */
    void sendOffAll() {
        sendOff((name, now) -> true);
    }

    /**
     * Sends these off without waiting; gives their names. All count as leaving before the first one begins to: a device
     * for which no thread can be started leaves on this one, and threads that ask meanwhile are not kept by that.
     */
    List<String> sendOff(BiPredicate<String, Served> which) {
        Map<String, Runnable> leaving = new LinkedHashMap<>();
        try {
            take(which, leaving);
        } finally {
            leaving.values().forEach(Runnable::run);
        }
        return List.copyOf(leaving.keySet());
    }

    /** At any time a device is served or leaving. */
    private synchronized void take(BiPredicate<String, Served> which, Map<String, Runnable> leaving) {
        for (Iterator<Map.Entry<String, Served>> all = served.entrySet().iterator(); all.hasNext();) {
            Map.Entry<String, Served> one = all.next();
            Served now = one.getValue();
            if (which.test(one.getKey(), now)) {
                leaving.put(one.getKey(), leavings.add(one.getKey(), now.id(), now.unregister(), now::close));
                all.remove();
            }
        }
    }
}
