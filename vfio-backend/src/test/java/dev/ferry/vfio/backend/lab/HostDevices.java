// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.device.DeviceException;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Opens devices of this host by their names, as the bundle would, without a framework. */
final class HostDevices {
    private static final int DATA_TIMEOUT_MILLIS = 2_000;

    private final DriverFactory factory = new DriverFactory(new LinuxSystemCalls(), Path.of("/"));
    private final DeviceFinder finder = new DeviceFinder(Path.of("/"));
    private final DeviceOpener.Way way;

    /**
     * The devices of this host.
     *
     * @param way {@code auto}, {@code group} or {@code cdev}
     */
    HostDevices(String way) {
        this.way = DeviceOpener.Way.valueOf(way.toUpperCase(Locale.ROOT));
    }

    /** What sysfs says of a device. */
    FoundDevice found(String name) throws IOException {
        return finder.find(Set.of(name)).stream()
                .filter(device -> device.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IOException(name + " is not a VFIO device of this host"));
    }

    /** Opens a device in the state that it is in. */
    DriverFactory.Driven openAsItIs(String name) throws IOException, DeviceException {
        return factory.open(found(name), name, way, List.of(DirtyTracking.Way.values()), () -> DATA_TIMEOUT_MILLIS);
    }

    /** Opens a device and resets it where it is not RUNNING. */
    DriverFactory.Driven open(String name) throws IOException, DeviceException {
        DriverFactory.Driven driven = openAsItIs(name);
        if (driven.driver().state() != DeviceState.RUNNING) {
            driven.driver().reset();
        }
        return driven;
    }
}
