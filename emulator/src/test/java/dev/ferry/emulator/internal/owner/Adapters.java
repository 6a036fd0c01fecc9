// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.AdapterSettings.DEFAULT_ADMIN_QUEUES;
import static dev.ferry.emulator.internal.owner.AdapterSettings.MAX_OBJECTS;

/** Settings as tests want them; members offer what an ordinary VF does. */
final class Adapters {

    private Adapters() {}

    /** By device parts, with a host that can tell what members write. */
    static AdapterSettings parts(
            String host,
            String name,
            int members,
            int queuePairs,
            int queueSize,
            boolean strict,
            int objectLimit,
            boolean legacy) {
        return new AdapterSettings(
                host, name, members, queuePairs, queueSize, strict, objectLimit, 0, CommandSet.PARTS, legacy, true,
                Latency.NONE, DEFAULT_ADMIN_QUEUES);
    }

    static AdapterSettings of(
            int members, int queuePairs, int queueSize, CommandSet commands, boolean dirtyTracking) {
        return new AdapterSettings(
                "host1", "pf0", members, queuePairs, queueSize, false, MAX_OBJECTS, 0, commands, true, dirtyTracking,
                Latency.NONE, DEFAULT_ADMIN_QUEUES);
    }

    /** With one queue pair, by device parts, and slow. */
    static AdapterSettings slow(String host, int members, Latency latency, int adminQueues) {
        return new AdapterSettings(
                host, "pf0", members, 1, 256, false, MAX_OBJECTS, 0, CommandSet.PARTS, true, true,
                latency, adminQueues);
    }
}
