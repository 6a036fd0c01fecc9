// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.device.DeviceException;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Opens devices of this host by their names, as the bundle would, without a framework. */
final class HostDevices {
    private static final int DATA_TIMEOUT_MILLIS = 2_000;

    private final SystemCalls calls;
    private final Path root;
    private final DriverFactory factory;
    private final DeviceFinder finder;
    private final DeviceOpener.Way way;

    /**
     * The devices of this host.
     *
     * @param way {@code auto}, {@code group} or {@code cdev}
     */
    HostDevices(String way) {
        this(new LinuxSystemCalls(), Path.of("/"), way);
    }

    /** The devices of any host, a fake one too, below a root. */
    HostDevices(SystemCalls calls, Path root, String way) {
        this.calls = calls;
        this.root = root;
        this.factory = new DriverFactory(calls, root);
        this.finder = new DeviceFinder(root);
        this.way = DeviceOpener.Way.valueOf(way.toUpperCase(Locale.ROOT));
    }

    /** What the devices are driven with. */
    SystemCalls calls() {
        return calls;
    }

    /** The path of a device file, {@code vfio/vfio} for example. */
    String file(String name) {
        return root.resolve("dev").resolve(name).toString();
    }

    /** Whether the kernel has an iommufd: where there is none, a VMM opens its devices by group. */
    boolean haveIommufd() {
        return Files.exists(Path.of(file("iommu")));
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
