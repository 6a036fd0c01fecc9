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
import java.util.stream.Collectors;

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
                host(configuration.host()),
                choice("access", configuration.access(), DeviceOpener.Way.class),
                ways(configuration.dirty_tracking()),
                between("data.timeout.millis", configuration.data_timeout_millis(), 10, 60_000),
                between("rescan.seconds", configuration.rescan_seconds(), 1, 3_600),
                socket(configuration.handover_socket()),
                Arrays.stream(configuration.handover_users()).boxed().collect(Collectors.toUnmodifiableSet()));
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

    private static int between(String key, int given, int least, int most) {
        if (given < least || given > most) {
            throw new IllegalArgumentException("%s: %d is not from %d to %d".formatted(key, given, least, most));
        }
        return given;
    }

    private static Optional<Path> socket(String given) {
        if (given.isEmpty()) {
            return Optional.empty();
        }
        Path path = Path.of(given);
        if (!path.isAbsolute() || given.getBytes(StandardCharsets.UTF_8).length >= MOST_SOCKET_BYTES) {
            throw new IllegalArgumentException(
                    "handover.socket: '%s' must be an absolute path of less than %d bytes"
                            .formatted(given, MOST_SOCKET_BYTES));
        }
        return Optional.of(path);
    }
}
