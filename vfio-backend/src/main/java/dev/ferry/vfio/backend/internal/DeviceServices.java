// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.ServedDevices.Served;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.handover.HandoverServer;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.HashMap;
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
 * is taken back. Devices leave on threads of their own, and one that has not left is not served anew. For somebody's
 * turn, and then for devices that leave, nobody waits longer than {@value #WAIT_MILLIS} ms each, but at the end: what
 * is asked for meanwhile is done by whoever had to be waited for, when he is through.
 */
final class DeviceServices implements HandoverServer.Lending {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceServices.class);

    /** Service property: how the device was opened and why so. */
    static final String ACCESS = "ferry.vfio.access";
    /** Service property: how dirty pages are tracked and why so. */
    static final String DIRTY_TRACKING = "ferry.vfio.dirty.tracking";
    /** Service property: the driver of the kernel that the device is bound to; absent when to none. */
    static final String DRIVER = "ferry.vfio.driver";
    /** Service property: the device is among those that the configuration in force allows to open. */
    static final String CONFIGURED = "ferry.vfio.configured";

    static final String BACKEND = "vfio";
    /** The name of the records of a session's bytes, by which {@code dev.ferry.stream.vfio} reads them. */
    private static final String STREAM_FORMAT = "vfio";
    private static final String NOT_ALLOWED =
            "it is not open: add it to the list 'devices' of the configuration " + BackendConfiguration.PID;

    /** How long anybody waits for his turn, and then for devices to be closed. */
    static final long WAIT_MILLIS = 2_000;
    /** How long the end waits for migrations to put their devices in order: longer than these are given by default. */
    private static final long STOP_WAIT_MILLIS = 15_000;

    private final Supplier<DriverFactory> factory;
    private final DriverRegistry registry;
    private final String hostName;
    /** What could not be served in its turn, since it had not left: served as soon as it has. */
    private final Map<String, FoundDevice> late = new HashMap<>();
    private final Turn turn = new Turn();
    private final Leavings leavings = new Leavings(this::serveLate);
    private final ServedDevices served = new ServedDevices(leavings, WAIT_MILLIS);
    private volatile BackendSettings settings = BackendSettings.none();
    private volatile boolean closed;

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
    void update(List<FoundDevice> found, BackendSettings wanted) {
        if (!turn.enter(WAIT_MILLIS)) {
            LOG.warn("the devices of this host are looked at later: one is waited for");
            return;
        }
        try {
            if (!closed) {
                takeOver(found, wanted);
            }
        } finally {
            turn.leave();
        }
    }

    private void takeOver(List<FoundDevice> found, BackendSettings wanted) {
        boolean renamed = !wanted.host().equals(settings.host());
        settings = wanted;
        late.clear();
        Map<String, FoundDevice> present = new HashMap<>();
        found.forEach(device -> present.put(device.name(), device));
        served.withdraw((name, now) -> !now.lent() && (renamed || !mayStay(now, present.get(name))));
        found.forEach(this::serve);
    }

    /** Whether what is served is right, or is to stay until it is known what comes instead. */
    private boolean mayStay(Served now, FoundDevice device) {
        if (device == null) {
            return false;
        }
        Optional<String> obstacle = obstacle(device);
        return obstacle.isEmpty() || now.isExplainedBy(obstacle.get());
    }

    private Optional<String> obstacle(FoundDevice device) {
        return device.obstacle().or(() -> settings.devices().contains(device.name())
                ? Optional.empty()
                : Optional.of(NOT_ALLOWED));
    }

    /** A device has left; on its own thread. Whoever has a long turn now leaves it to the next look. */
    private void serveLate(String name) {
        if (!turn.enter(WAIT_MILLIS)) {
            return;
        }
        try {
            FoundDevice device = late.remove(name);
            if (device != null && !closed) {
                serve(device);
            }
        } finally {
            turn.leave();
        }
    }

    /** One device that cannot be served must not keep the others. */
    private void serve(FoundDevice device) {
        Optional<Served> now = served.get(device.name());
        if (closed || now.isPresent() && now.get().lent()) {
            return;
        }
        try {
            Optional<String> obstacle = obstacle(device);
            if (leavings.has(device.name())) {
                late.put(device.name(), device);
            } else if (obstacle.isPresent()) {
                explain(device, obstacle.get());
            } else if (now.isEmpty() || !now.get().isOpen()) {
                open(device);
            }
        } catch (RuntimeException e) {
            LOG.error("{} is not served", id(device.name()), e);
        }
    }

    private void open(FoundDevice device) {
        try {
            boolean served = put(device, factory.get().open(device, id(device.name()), settings.access(),
                    settings.dirtyTracking(), this::dataTimeoutMillis), false);
            if (!served) {
                late.put(device.name(), device);
            }
        } catch (DeviceException e) {
            explain(device, KernelException.reason(e));
        } catch (RuntimeException | LinkageError e) {
            if (explain(device, "it cannot be opened; the log says more: " + e)) {
                LOG.error("{} cannot be opened", id(device.name()), e);
            }
        }
    }

    /** A device with a reason; the same reason again changes nothing and is logged once. Gives whether it is new. */
    private boolean explain(FoundDevice device, String reason) {
        Optional<Served> now = served.get(device.name());
        if (now.isPresent() && now.get().isExplainedBy(reason)) {
            return false;
        }
        if (!served.makeRoom(device.name())) {
            late.put(device.name(), device);
            return false;
        }
        String id = id(device.name());
        if (settings.devices().contains(device.name())) {
            LOG.warn("{} cannot be migrated: {}", id, reason);
        }
        Map<String, Object> properties = properties(device);
        properties.put(MigrationDriver.NOT_MIGRATABLE, reason);
        Runnable unregister = registry.register(new UnmigratableDriver(id, reason), properties);
        served.put(device.name(), Served.explained(id, reason, unregister));
        return true;
    }

    /** Takes over the device, which is closed when it cannot be served. Gives whether it is. */
    private boolean put(FoundDevice device, DriverFactory.Driven driven, boolean lent) {
        boolean done = false;
        try {
            if (!served.makeRoom(device.name())) {
                return false;
            }
            Map<String, Object> properties = properties(device);
            properties.put(ACCESS, driven.open().way());
            properties.put(DIRTY_TRACKING, driven.dirtyTracking());
            Runnable unregister = registry.register(driven.driver(), properties);
            served.put(device.name(), Served.open(id(device.name()), driven, lent, unregister));
            done = true;
            return true;
        } finally {
            if (!done) {
                driven.close();
            }
        }
    }

    /**
     * Serves a device that another process has opened and handed over.
     *
     * @param open closed here, at once when it cannot be served
     * @return its id
     * @throws DeviceException EBUSY when it is open here already or still leaving, or another one is waited for;
     *     EOPNOTSUPP when it cannot be migrated
     */
    @Override
    public String lend(FoundDevice device, OpenDevice open) throws DeviceException {
        if (!turn.enter(WAIT_MILLIS)) {
            open.close();
            throw new DeviceException(Errno.EBUSY, "another device is waited for; try again later");
        }
        boolean passedOn = false;
        try {
            requireFree(device);
            passedOn = true;
            if (!put(device, drive(open), true)) {
                throw isLeaving(device);
            }
            return id(device.name());
        } finally {
            if (!passedOn) {
                open.close();
            }
            turn.leave();
        }
    }

    private DeviceException isLeaving(FoundDevice device) {
        return new DeviceException(
                Errno.EBUSY, id(device.name()) + " has not left whoever had it before; try again later");
    }

    private void requireFree(FoundDevice device) throws DeviceException {
        if (leavings.has(device.name())) {
            throw isLeaving(device);
        }
        if (closed || served.get(device.name()).filter(Served::isOpen).isPresent()) {
            throw new DeviceException(Errno.EBUSY,
                    id(device.name()) + (closed ? " came when this program stops" : " is open already"));
        }
    }

    private DriverFactory.Driven drive(OpenDevice open) throws DeviceException {
        DriverFactory drivers;
        try {
            drivers = factory.get();
        } catch (RuntimeException | LinkageError e) {
            open.close();
            throw e;
        }
        return drivers.drive(open, settings.dirtyTracking(), this::dataTimeoutMillis);
    }

    /**
     * The process that handed a device over wants it back.
     *
     * @throws DeviceException ETIMEDOUT when it is still in use; that ends as soon as the kernel lets it
     */
    @Override
    public void takeBack(String name) throws DeviceException {
        if (!wishBack(name).await(WAIT_MILLIS)) {
            throw new DeviceException(Errno.ETIMEDOUT,
                    id(name) + " is closed later: another device is waited for before that");
        }
        Optional<String> obstacle = leavings.await(name, WAIT_MILLIS);
        if (obstacle.isPresent()) {
            throw new DeviceException(Errno.ETIMEDOUT, obstacle.get());
        }
    }

    @Override
    public void letGo(String name) {
        wishBack(name);
    }

    private Turn.Wish wishBack(String name) {
        return turn.wish(() -> served.sendOff((one, now) -> one.equals(name) && now.lent()));
    }

    /** Withdraws all; nothing is served any more. */
    void close() {
        closed = true;
        served.takeNoMore();
        if (turn.wish(() -> served.sendOff((name, now) -> true)).await(WAIT_MILLIS)) {
            leavings.awaitAll(STOP_WAIT_MILLIS, WAIT_MILLIS);
        } else {
            LOG.warn("a device is waited for; all devices of {} are closed behind that", host());
        }
    }

    /** Not in anybody's turn: sessions ask, and whoever withdraws their device waits for them. */
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
        properties.put(MigrationDriver.STREAM_FORMAT, STREAM_FORMAT);
        properties.put(CONFIGURED, settings.devices().contains(device.name()));
        device.driver().ifPresent(driver -> properties.put(DRIVER, driver));
        return properties;
    }
}
