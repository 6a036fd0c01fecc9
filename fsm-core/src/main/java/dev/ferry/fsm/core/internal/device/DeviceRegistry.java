// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.TransitionTable;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices that have a driver now. Drivers come and go at any moment, known by their service ids; of two with the
 * same device id one that can migrate serves, whichever came first, else the first, and the other takes over when it
 * leaves. Thread-safe; calls drivers and waits without a lock.
 */
public final class DeviceRegistry {

    private static final Logger LOG = LoggerFactory.getLogger(DeviceRegistry.class);

    private final TransitionTable table;
    private final SessionAdmission admission = new SessionAdmission();
    private final Map<Long, Device> bound = new TreeMap<>();
    private final Map<String, Device> serving = new TreeMap<>();

    /** Without devices. */
    public DeviceRegistry(TransitionTable table) {
        this.table = table;
    }

    /** A driver has come; one that cannot be used is logged and left alone. */
    public void add(long serviceId, MigrationDriver driver, Map<String, ?> properties) {
        try {
            add(serviceId, new Device(DeviceProperties.of(properties), driver, table));
        } catch (RuntimeException | LinkageError e) {
            LOG.error("The driver with service id {} is not used: {}", serviceId, e.toString(), e);
        }
    }

    private synchronized void add(long serviceId, Device device) {
        bound.put(serviceId, device);
        Device first = serving.putIfAbsent(device.id(), device);
        if (first == null) {
            return;
        }
        if (isMigratable(first) != isMigratable(device)) {
            // Not worth a warning: a provider that could not ask the owner shows why, beside the one that could.
            serving.put(device.id(), isMigratable(device) ? device : first);
        } else {
            LOG.warn(
                    "{}: a second driver has this device id (service id {}); it is not used until the first one leaves",
                    device.id(),
                    serviceId);
        }
    }

    private static boolean isMigratable(Device device) {
        return device.properties().notMigratable().isEmpty();
    }

    /**
     * A driver leaves. Waits for the job that uses it and for its calls under way; then its device is put in order,
     * which lasts as long as its driver needs.
     *
     * @param bound of the waits; after a job that is not done by then the device is left as it is
     */
    public void remove(long serviceId, Duration bound) {
        Device leaving = unbind(serviceId);
        if (leaving != null) {
            leaving.leave(serves(leaving), bound);
            replace(leaving);
        }
    }

    private synchronized Device unbind(long serviceId) {
        return bound.remove(serviceId);
    }

    /** One that does not serve never will, as it is not bound any more. */
    private synchronized boolean serves(Device unbound) {
        return serving.get(unbound.id()) == unbound;
    }

    private synchronized void replace(Device left) {
        if (serving.remove(left.id(), left)) {
            bound.values().stream()
                    .filter(other -> other.id().equals(left.id()))
                    .min(Comparator.comparing(other -> !isMigratable(other)))
                    .ifPresent(next -> serving.put(next.id(), next));
        }
    }

    /** Where the jobs of these devices queue up for data transfer sessions. */
    public SessionAdmission admission() {
        return admission;
    }

    /** All devices, by id ascending. */
    public synchronized List<Device> all() {
        return List.copyOf(serving.values());
    }

    /** The device with an id. */
    public synchronized Optional<Device> find(String id) {
        return Optional.ofNullable(serving.get(id));
    }

    /** The device with an id, or DEVICE_NOT_FOUND. */
    public Device require(String id) throws MigrationException {
        return find(id).orElseThrow(() -> new MigrationException(notFound(id)));
    }

    private static Failure notFound(String id) {
        return Failure.of(
                FailureCode.DEVICE_NOT_FOUND,
                id,
                "No device has the id " + id + ": list the devices there are, and start the bundle of its driver.");
    }
}
