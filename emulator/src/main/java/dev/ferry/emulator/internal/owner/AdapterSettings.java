// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.net.FunctionConfig;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * How one emulated adapter is made. Immutable, and valid by construction.
 *
 * @param host name of the emulated host
 * @param name of the owner device within the host
 * @param members number of member devices that are enabled at start
 * @param queuePairs of each member
 * @param queueSize largest size of each virtqueue, a power of two, 2 or more
 * @param strict whether commands must be in the list in use for their own group type
 * @param objectLimit most device parts objects, for reading and for writing
 * @param featuresOff feature bits that members do not offer although they could
 * @param commands by which members migrate
 * @param legacy whether the members have a legacy interface where the command set allows one
 * @param dirtyTracking whether the host can tell what members write
 * @param latency time that the device takes
 * @param adminQueues queues that the commands of members are spread over while the device takes time
 */
public record AdapterSettings(
        String host,
        String name,
        int members,
        int queuePairs,
        int queueSize,
        boolean strict,
        int objectLimit,
        long featuresOff,
        CommandSet commands,
        boolean legacy,
        boolean dirtyTracking,
        Latency latency,
        int adminQueues) {

    /** The most members of one adapter; our own limit, by memory. */
    public static final int MAX_MEMBERS = FunctionConfig.TOTAL_VFS;

    /** The most objects: their limit is one byte (virtio 1.4, VIRTIO_DEV_PARTS_CAP). */
    public static final int MAX_OBJECTS = 255;

    /** The most admin queues of one adapter; our own limit. */
    public static final int MAX_ADMIN_QUEUES = 256;

    /** Admin queues where no number is set: as many as the members of the largest demonstration. */
    public static final int DEFAULT_ADMIN_QUEUES = 16;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    /**
     * Refuses what no adapter can be made of.
     *
     * @throws IllegalArgumentException saying which setting is wrong and what it may be
     */
    public AdapterSettings {
        requireName("host", host);
        requireName("name", name);
        requireRange("members", members, 0, MAX_MEMBERS);
        requireRange("queuePairs", queuePairs, 1, FunctionConfig.MAX_QUEUE_PAIRS);
        requireRange("queueSize", queueSize, 2, FunctionConfig.MAX_QUEUE_SIZE);
        if (Integer.bitCount(queueSize) != 1) {
            throw new IllegalArgumentException("queueSize must be a power of two, but is " + queueSize);
        }
        requireRange("objectLimit", objectLimit, 1, MAX_OBJECTS);
        FunctionConfig.requireFeatures("featuresOff", queuePairs, features(queuePairs, featuresOff));
        Objects.requireNonNull(commands, "commands");
        Objects.requireNonNull(latency, "latency");
        requireRange("adminQueues", adminQueues, 1, MAX_ADMIN_QUEUES);
    }

    /** Whether the members have a legacy interface; never with the device context, which has no place for its state. */
    public boolean offersLegacy() {
        return legacy && !commands.isContext();
    }

    /** The feature bits that each member offers. */
    public long features() {
        return features(queuePairs, featuresOff);
    }

    private static long features(int queuePairs, long off) {
        return FunctionConfig.defaultFeatures(queuePairs) & ~off;
    }

    /** Id of the owner device: {@code <host>/<name>}. */
    public String ownerId() {
        return host + "/" + name;
    }

    /** The same adapter with another number of members. */
    public AdapterSettings withMembers(int count) {
        return new AdapterSettings(
                host,
                name,
                count,
                queuePairs,
                queueSize,
                strict,
                objectLimit,
                featuresOff,
                commands,
                legacy,
                dirtyTracking,
                latency,
                adminQueues);
    }

    private static void requireName(String key, String value) {
        if (value == null || !NAME.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "%s must be 1 to 63 letters, digits, dots, hyphens or underscores, but is '%s'"
                            .formatted(key, value == null ? "" : value));
        }
    }

    private static void requireRange(String key, int value, int from, int to) {
        if (value < from || value > to) {
            throw new IllegalArgumentException("%s must be %d to %d, but is %d".formatted(key, from, to, value));
        }
    }
}
