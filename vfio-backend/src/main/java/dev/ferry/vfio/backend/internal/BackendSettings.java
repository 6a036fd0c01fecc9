// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A configuration that was found valid. Immutable.
 *
 * @param devices names of devices that may be opened, as sysfs spells them
 * @param host first part of the devices' ids; empty for the host's own name
 * @param access how devices are opened
 * @param dirtyTracking ways of dirty tracking that may be taken
 * @param dataTimeoutMillis how long one transfer of data may wait
 * @param rescanSeconds how often the host is looked over
 * @param handoverSocket where devices are handed over
 * @param handoverUsers who may hand devices over, beside root and this process's user
 */
record BackendSettings(
        Set<String> devices,
        Optional<String> host,
        DeviceOpener.Way access,
        List<DirtyTracking.Way> dirtyTracking,
        int dataTimeoutMillis,
        int rescanSeconds,
        Optional<Path> handoverSocket,
        Set<Integer> handoverUsers) {

    private static final Pattern NAME = Pattern.compile(
            "[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._-]*");
    /** Longer ones are out of every range here. */
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,10}");
    private static final long OUT_OF_RANGE = Long.MIN_VALUE;
    /** The kernel's uid_t has 32 bits, all of which are set for nobody's number. */
    private static final long MOST_USER = 0xFFFF_FFFEL;
    /** The kernel's limit for the path of a UNIX socket, with the zero behind it. */
    private static final int MOST_SOCKET_BYTES = 108;

    /** What holds before there is a valid configuration: nothing is opened. */
    static BackendSettings none() {
        return new BackendSettings(
                Set.of(), Optional.empty(), DeviceOpener.Way.AUTO, List.of(), 5_000, 10, Optional.empty(), Set.of());
    }

    /**
     * Reads a configuration.
     *
     * @throws IllegalArgumentException with one sentence that names key, value and what is allowed
     */
    static BackendSettings of(BackendConfiguration configuration) {
        return new BackendSettings(
                names(configuration.devices()),
                host(text(configuration.host())),
                choice("access", text(configuration.access()), DeviceOpener.Way.class),
                ways(configuration.dirty_tracking()),
                (int) number("data.timeout.millis", configuration.data_timeout_millis(), 10, 60_000),
                (int) number("rescan.seconds", configuration.rescan_seconds(), 1, 3_600),
                socket(text(configuration.handover_socket())),
                users(configuration.handover_users()));
    }

    private static Set<String> names(String[] given) {
        Set<String> names = new TreeSet<>();
        for (String one : given) {
            String name = one.strip().toLowerCase(Locale.ROOT);
            if (!NAME.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "devices: '%s' is neither a PCI address like 0000:3b:00.2 nor a UUID".formatted(one));
            }
            names.add(name);
        }
        return Set.copyOf(names);
    }

    private static Optional<String> host(String given) {
        if (!HOST.matcher(given).matches()) {
            throw new IllegalArgumentException(
                    "host: '%s' may have letters, digits, dots, dashes and underscores only".formatted(given));
        }
        return given.isEmpty() ? Optional.empty() : Optional.of(given);
    }

    private static List<DirtyTracking.Way> ways(String[] given) {
        List<DirtyTracking.Way> ways = new ArrayList<>();
        for (String one : given) {
            ways.add(choice("dirty.tracking", one, DirtyTracking.Way.class));
        }
        return List.copyOf(ways);
    }

    private static <E extends Enum<E>> E choice(String key, String given, Class<E> choices) {
        for (E choice : choices.getEnumConstants()) {
            if (choice.name().equalsIgnoreCase(given.strip())) {
                return choice;
            }
        }
        throw new IllegalArgumentException("%s: '%s' is none of %s"
                .formatted(key, given, Arrays.toString(choices.getEnumConstants()).toLowerCase(Locale.ROOT)));
    }

    private static Set<Integer> users(String[] given) {
        Set<Integer> users = new TreeSet<>();
        for (String one : given) {
            users.add((int) number("handover.users", one, 0, MOST_USER)); // as the kernel's bits
        }
        return Set.copyOf(users);
    }

    private static long number(String key, String given, long least, long most) {
        String digits = text(given).strip();
        long number = NUMBER.matcher(digits).matches() ? Long.parseLong(digits) : OUT_OF_RANGE;
        if (number < least || number > most) {
            throw new IllegalArgumentException(
                    "%s: '%s' is not a whole number from %d to %d".formatted(key, digits, least, most));
        }
        return number;
    }

    /** Declarative Services makes null of an empty array where one text is asked for. */
    private static String text(String given) {
        return given == null ? "" : given;
    }

    private static Optional<Path> socket(String given) {
        if (given.isEmpty()) {
            return Optional.empty();
        }
        if (!isUsable(given)) {
            throw new IllegalArgumentException(
                    "handover.socket: '%s' must be an absolute path of less than %d bytes"
                            .formatted(given, MOST_SOCKET_BYTES));
        }
        return Optional.of(Path.of(given));
    }

    private static boolean isUsable(String path) {
        return path.startsWith("/") && path.indexOf('\0') < 0
                && path.getBytes(StandardCharsets.UTF_8).length < MOST_SOCKET_BYTES;
    }
}
