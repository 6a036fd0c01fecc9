// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One service per device of the host: a driver for each that is open, and for each other one the reason why it is not.
 *
 * <p>Thread-safe; whoever changes what is served does it alone. A device that was handed over is left as it is until it
 * is taken back.
 */
final class DeviceServices {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceServices.class);

    /** Service property: how the device was opened and why so. */
    static final String ACCESS = "ferry.vfio.access";
    /** Service property: how dirty pages are tracked and why so. */
    static final String DIRTY_TRACKING = "ferry.vfio.dirty.tracking";
    /** Service property: the device is among those that the configuration in force allows to open. */
    static final String CONFIGURED = "ferry.vfio.configured";

    static final String BACKEND = "vfio";
    private static final String NOT_ALLOWED =
            "it is not open: add it to the list 'devices' of the configuration " + BackendConfiguration.PID;

    /** What is registered for one device: an open one, or the reason. */
    private record Served(Optional<DriverFactory.Driven> driven, String reason, boolean lent, Runnable unregister) {}

    private final Supplier<DriverFactory> factory;
    private final DriverRegistry registry;
    private final String hostName;
    private final Map<String, Served> served = new LinkedHashMap<>();
    private volatile BackendSettings settings = BackendSettings.none();
    private boolean closed;

    /**
     * Serves nothing yet.
     *
     * @param factory asked for when the first device is opened, since it binds native code
     */
    DeviceServices(Supplier<DriverFactory> factory, DriverRegistry registry, String hostName) {
        this.factory = factory;
        this.registry = registry;
        this.hostName = hostName;
    }

    /** Brings the services in line with what the host has and what is configured. */
    synchronized void update(List<FoundDevice> found, BackendSettings wanted) {
        if (closed) {
            return;
        }
        boolean renamed = !wanted.host().equals(settings.host());
        settings = wanted;
        Map<String, FoundDevice> present = new HashMap<>();
        found.forEach(device -> present.put(device.name(), device));
        for (String name : List.copyOf(served.keySet())) {
            Served one = served.get(name);
            if (!one.lent() && (renamed || !present.containsKey(name))) {
                withdraw(name);
            }
        }
        found.forEach(this::serve);
    }

    private void serve(FoundDevice device) {
        Served now = served.get(device.name());
        if (now != null && now.lent()) {
            return;
        }
        if (!settings.devices().contains(device.name())) {
            explain(device, NOT_ALLOWED);
        } else if (device.obstacle().isPresent()) {
            explain(device, device.obstacle().get());
        } else if (now == null || now.driven().isEmpty()) {
            open(device);
        }
    }

    private void open(FoundDevice device) {
        try {
            DriverFactory.Driven driven = factory.get().open(device, id(device.name()), settings.access(),
                    settings.dirtyTracking(), this::dataTimeoutMillis);
            put(device, driven, false);
        } catch (DeviceException e) {
            explain(device, e.getMessage());
        }
    }

    /** A device with a reason; the same reason again changes nothing and is logged once. */
    private void explain(FoundDevice device, String reason) {
        Served now = served.get(device.name());
        if (now != null && now.driven().isEmpty() && now.reason().equals(reason)) {
            return;
        }
        withdraw(device.name());
        String id = id(device.name());
        if (settings.devices().contains(device.name())) {
            LOG.warn("{} cannot be migrated: {}", id, reason);
        }
        Map<String, Object> properties = properties(device);
        properties.put(MigrationDriver.NOT_MIGRATABLE, reason);
        Runnable unregister = registry.register(new UnmigratableDriver(id, reason), properties);
        served.put(device.name(), new Served(Optional.empty(), reason, false, unregister));
    }

    private void put(FoundDevice device, DriverFactory.Driven driven, boolean lent) {
        withdraw(device.name());
        Map<String, Object> properties = properties(device);
        properties.put(ACCESS, driven.open().way());
        properties.put(DIRTY_TRACKING, driven.dirtyTracking());
        Runnable unregister = registry.register(driven.driver(), properties);
        served.put(device.name(), new Served(Optional.of(driven), "", lent, unregister));
    }

    /**
     * Serves a device that another process has opened and handed over.
     *
     * @param open closed here, at once when it cannot be served
     * @return its id
     * @throws DeviceException EBUSY when it is open here already; EOPNOTSUPP when it cannot be migrated
     */
    synchronized String lend(FoundDevice device, OpenDevice open) throws DeviceException {
        Served now = served.get(device.name());
        if (closed || now != null && now.driven().isPresent()) {
            open.close();
            throw new DeviceException(Errno.EBUSY,
                    id(device.name()) + (closed ? " came when this program stops" : " is open already"));
        }
        put(device, factory.get().drive(open, settings.dirtyTracking(), this::dataTimeoutMillis), true);
        return id(device.name());
    }

    /** The process that handed a device over wants it back; returns when it is used no more. */
    synchronized void takeBack(String name) {
        Served now = served.get(name);
        if (now != null && now.lent()) {
            withdraw(name);
        }
    }

    /** Withdraws all; nothing is served any more. */
    synchronized void close() {
        closed = true;
        List.copyOf(served.keySet()).forEach(this::withdraw);
    }

    /** One device that does not leave in order must not keep the others. */
    private void withdraw(String name) {
        Served leaving = served.remove(name);
        if (leaving == null) {
            return;
        }
        try {
            leaving.unregister().run();
        } catch (RuntimeException e) {
            LOG.error("{} did not leave in order", id(name), e);
        } finally {
            leaving.driven().ifPresent(DriverFactory.Driven::close);
        }
    }

    /** Without the lock: sessions ask, and whoever withdraws their device waits for them. */
    private int dataTimeoutMillis() {
        return settings.dataTimeoutMillis();
    }

    String id(String name) {
        return host() + "/" + name;
    }

    private String host() {
        return settings.host().orElse(hostName);
    }

    private Map<String, Object> properties(FoundDevice device) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationDriver.DEVICE_ID, id(device.name()));
        properties.put(MigrationDriver.DEVICE_TYPE, BACKEND + "/" + device.type());
        properties.put(MigrationDriver.BACKEND, BACKEND);
        properties.put(MigrationDriver.HOST, host());
        properties.put(CONFIGURED, settings.devices().contains(device.name()));
        return properties;
    }
}
