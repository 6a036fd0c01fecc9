// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.UnmigratableDriver;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.ServedDevices.Explanation;
import dev.ferry.vfio.backend.internal.ServedDevices.Served;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes services of devices, by the terms in force: a driver for each that can be opened, for any other one the reason
 * why not. Used by the thread that has the {@link Turn}, but for the methods that say otherwise.
 */
final class DevicePublisher {
    private static final Logger LOG = LoggerFactory.getLogger(DevicePublisher.class);

    /** Whoever reads the reason is not to wait for the next scan. */
    private static final String LASTING = "; it is tried again when its driver or the configuration changes";

    private final Supplier<DriverFactory> factory;
    private final DriverRegistry registry;
    private final ServedDevices served;
    /** Why the kernel will not have these migrated, which it need not be asked again while they are the same. */
    private final Map<FoundDevice, String> unmigratable = new HashMap<>();
    private volatile Terms terms;
    private volatile boolean closed;

    /**
     * Publishes nothing yet.
     *
     * @param factory asked for when the first device is opened, since it binds native code
     * @param served where what is published is kept
     */
    DevicePublisher(Supplier<DriverFactory> factory, DriverRegistry registry, ServedDevices served, Terms terms) {
        this.factory = factory;
        this.registry = registry;
        this.served = served;
        this.terms = terms;
    }

    /** The terms in force; on any thread. */
    Terms terms() {
        return terms;
    }

    /**
     * What is published from now on is published on these terms.
     *
     * @param found all devices of the host, as they are now
     */
    void terms(Terms changed, List<FoundDevice> found) {
        if (!changed.equals(terms)) {
            unmigratable.clear();
        }
        unmigratable.keySet().retainAll(found);
        terms = changed;
    }

    /** From now on nothing is published: what is being opened is closed at once. On any thread. */
    void close() {
        closed = true;
    }

    /** On any thread. */
    boolean isClosed() {
        return closed;
    }

    /**
     * Opens a device, or says why not; what is right already is left alone. A device that cannot be migrated is opened
     * once, not at every look: many are reset by that, and no other process can open it meanwhile.
     *
     * @return false when that has to wait: the service that the device had has not left, or the bundle stops
     */
    boolean publish(FoundDevice device) {
        Optional<String> obstacle =
                terms.obstacle(device).or(() -> Optional.ofNullable(unmigratable.get(device)));
        if (obstacle.isPresent()) {
            return explain(device, obstacle.get());
        }
        return served.get(device.name()).filter(Served::isOpen).isPresent() || open(device);
    }

    private boolean open(FoundDevice device) {
        String id = terms.id(device.name());
        try {
            BackendSettings settings = terms.settings();
            return register(device, factory.get().open(device, id, settings.access(), settings.dirtyTracking(),
                    this::dataTimeoutMillis), false);
        } catch (DeviceException e) {
            String reason = KernelException.reason(e);
            if (e.errno() == Errno.EOPNOTSUPP) {
                reason += LASTING;
                unmigratable.put(device, reason);
            }
            return explain(device, reason);
        } catch (RuntimeException | LinkageError e) {
            String reason = "it cannot be opened; the log says more: " + e;
            if (!isServed(explanation(device, reason))) {
                LOG.error("{} cannot be opened", id, e);
            }
            return explain(device, reason);
        }
    }

    private boolean isServed(Explanation explanation) {
        return served.get(explanation.device().name()).filter(now -> now.isExplainedBy(explanation)).isPresent();
    }

    /** What the service of a device tells, by the terms in force, when this is why it is not open. On any thread. */
    Explanation explanation(FoundDevice device, String reason) {
        return new Explanation(device, terms.isConfigured(device), reason);
    }

    /** A device with a reason; the same reason again changes nothing and is logged once. */
    private boolean explain(FoundDevice device, String reason) {
        Explanation explanation = explanation(device, reason);
        if (isServed(explanation)) {
            return true;
        }
        if (closed || !served.makeRoom(device.name())) {
            return false;
        }
        String id = terms.id(device.name());
        if (explanation.configured()) {
            LOG.warn("{} cannot be migrated: {}", id, reason);
        }
        Map<String, Object> properties = terms.properties(device);
        properties.put(MigrationDriver.NOT_MIGRATABLE, reason);
        Runnable unregister = registry.register(new UnmigratableDriver(id, reason), Optional.empty(), properties);
        served.put(device.name(), Served.explained(id, explanation, unregister));
        return true;
    }

    /**
     * Makes a driver of a device that another process has opened, too; it is closed when that fails.
     *
     * @return false, and it is closed, when that has to wait, as with {@link #publish}
     * @throws DeviceException EOPNOTSUPP when the device cannot be migrated
     */
    boolean publishLent(FoundDevice device, OpenDevice open) throws DeviceException {
        DriverFactory drivers;
        try {
            drivers = factory.get();
        } catch (RuntimeException | LinkageError e) {
            open.close();
            throw e;
        }
        return register(device, drivers.drive(open, terms.settings().dirtyTracking(), this::dataTimeoutMillis), true);
    }

    /** Takes over the device, which is closed when it cannot be published. */
    private boolean register(FoundDevice device, Driven driven, boolean lent) {
        boolean done = false;
        try {
            if (closed || !served.makeRoom(device.name())) {
                return false;
            }
            Map<String, Object> properties = terms.properties(device);
            properties.put(Terms.ACCESS, driven.open().way());
            properties.put(Terms.DIRTY_TRACKING, driven.dirtyTracking());
            Runnable unregister = registry.register(driven.driver(), driven.open().memory(), properties);
            served.put(device.name(), Served.open(terms.id(device.name()), driven, lent, unregister));
            done = true;
            return true;
        } finally {
            if (!done) {
                driven.close();
            }
        }
    }

    /** On any thread: sessions ask, for which a thread that has the turn may be waiting. */
    private int dataTimeoutMillis() {
        return terms.settings().dataTimeoutMillis();
    }
}
