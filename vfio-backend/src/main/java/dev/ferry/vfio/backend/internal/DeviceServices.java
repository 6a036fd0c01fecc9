// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.handover.HandoverServer;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One service per device of the host: a driver for each that is open, and for each other one the reason why it is not.
 *
 * <p>Thread-safe; whoever changes what is served does it alone. A device that was handed over is left as it is until it
 * is taken back. An opening or closing that the kernel does not end keeps nobody longer than {@value #WAIT_MILLIS} ms:
 * what is asked for meanwhile is done by whoever had to be waited for, when he is through.
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

    /** What is registered for one device: an open one, or the reason. */
    private record Served(Optional<DriverFactory.Driven> driven, String reason, boolean lent, Runnable unregister) {}

    private final Supplier<DriverFactory> factory;
    private final DriverRegistry registry;
    private final String hostName;
    private final Map<String, Served> served = new LinkedHashMap<>();
    private final ReentrantLock turn = new ReentrantLock();
    /** What whoever began it could not wait for: his time was over, or he was interrupted. */
    private final Set<Closing> unended = ConcurrentHashMap.newKeySet();
    private final Set<String> wantedBack = ConcurrentHashMap.newKeySet();
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
        if (!enter()) {
            LOG.warn("the devices of this host are looked at later: one is waited for");
            return;
        }
        try {
            if (!closed) {
                takeOver(found, wanted);
            }
        } finally {
            leave();
        }
    }

    private void takeOver(List<FoundDevice> found, BackendSettings wanted) {
        boolean renamed = !wanted.host().equals(settings.host());
        settings = wanted;
        Map<String, FoundDevice> present = new HashMap<>();
        found.forEach(device -> present.put(device.name(), device));
        withdraw(named(name -> !served.get(name).lent() && (renamed || !present.containsKey(name))));
        found.forEach(this::serve);
    }

    private boolean enter() {
        try {
            return turn.tryLock(WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return turn.tryLock();
        }
    }

    /** Ends a turn, and does what was asked for while it lasted. */
    private boolean leave() {
        try {
            Set<String> back = Set.copyOf(wantedBack);
            wantedBack.removeAll(back);
            return withdraw(named(name -> closed || back.contains(name) && served.get(name).lent()));
        } finally {
            turn.unlock();
        }
    }

    private List<String> named(Predicate<String> which) {
        return served.keySet().stream().filter(which).toList();
    }

    /** One device that cannot be served must not keep the others. */
    private void serve(FoundDevice device) {
        Served now = served.get(device.name());
        if (now != null && now.lent()) {
            return;
        }
        try {
            if (device.obstacle().isPresent()) {
                explain(device, device.obstacle().get());
            } else if (!settings.devices().contains(device.name())) {
                explain(device, NOT_ALLOWED);
            } else if (now == null || now.driven().isEmpty()) {
                open(device);
            }
        } catch (RuntimeException e) {
            LOG.error("{} is not served", id(device.name()), e);
        }
    }

    private void open(FoundDevice device) {
        try {
            put(device, factory.get().open(device, id(device.name()), settings.access(),
                    settings.dirtyTracking(), this::dataTimeoutMillis), false);
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
        Served now = served.get(device.name());
        if (now != null && now.driven().isEmpty() && now.reason().equals(reason)) {
            return false;
        }
        withdraw(List.of(device.name()));
        String id = id(device.name());
        if (settings.devices().contains(device.name())) {
            LOG.warn("{} cannot be migrated: {}", id, reason);
        }
        Map<String, Object> properties = properties(device);
        properties.put(MigrationDriver.NOT_MIGRATABLE, reason);
        Runnable unregister = registry.register(new UnmigratableDriver(id, reason), properties);
        served.put(device.name(), new Served(Optional.empty(), reason, false, unregister));
        return true;
    }

    /** Takes over the device, which is closed when it cannot be registered. */
    private void put(FoundDevice device, DriverFactory.Driven driven, boolean lent) {
        boolean done = false;
        try {
            withdraw(List.of(device.name()));
            Map<String, Object> properties = properties(device);
            properties.put(ACCESS, driven.open().way());
            properties.put(DIRTY_TRACKING, driven.dirtyTracking());
            Runnable unregister = registry.register(driven.driver(), properties);
            served.put(device.name(), new Served(Optional.of(driven), "", lent, unregister));
            done = true;
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
     * @throws DeviceException EBUSY when it is open here already, or another one is waited for; EOPNOTSUPP when it
     *     cannot be migrated
     */
    @Override
    public String lend(FoundDevice device, OpenDevice open) throws DeviceException {
        if (!enter()) {
            open.close();
            throw new DeviceException(Errno.EBUSY, "another device is waited for; try again later");
        }
        boolean passedOn = false;
        try {
            requireFree(device);
            passedOn = true;
            put(device, drive(open), true);
            return id(device.name());
        } finally {
            if (!passedOn) {
                open.close();
            }
            leave();
        }
    }

    private void requireFree(FoundDevice device) throws DeviceException {
        Served now = served.get(device.name());
        if (closed || now != null && now.driven().isPresent()) {
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
        wantedBack.add(name);
        if (!enter() || !leave()) {
            throw new DeviceException(Errno.ETIMEDOUT,
                    id(name) + " is in a call that the kernel has not ended; it is closed behind that");
        }
    }

    /** Withdraws all; nothing is served any more. */
    void close() {
        closed = true;
        if (!enter()) {
            LOG.warn("a device is waited for; all devices of {} are closed behind that", host());
            return;
        }
        leave();
        await(unended);
    }

    /** Devices leave; one that does not leave in order must not keep the others. Gives whether all are closed. */
    private boolean withdraw(List<String> names) {
        List<Closing> closings = new ArrayList<>();
        for (String name : names) {
            Served leaving = served.remove(name);
            if (leaving != null) {
                unregister(name, leaving);
                leaving.driven().ifPresent(driven -> closings.add(Closing.begin(id(name), driven::close)));
            }
        }
        unended.addAll(closings);
        return await(closings);
    }

    private boolean await(Collection<Closing> closings) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS);
        boolean all = true;
        for (Closing closing : closings) {
            boolean ended = closing.await(deadline);
            if (ended) {
                unended.remove(closing);
            }
            all &= ended;
        }
        return all;
    }

    private void unregister(String name, Served leaving) {
        try {
            leaving.unregister().run();
        } catch (RuntimeException e) {
            LOG.error("{} did not leave in order", id(name), e);
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
