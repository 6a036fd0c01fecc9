// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.ServedDevices.Served;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.handover.Lending;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when each device of the host is served anew, lent, given back or withdrawn; {@link DevicePublisher} knows
 * how.
 *
 * <p>Thread-safe; one thread at a time changes what is served, the one that has the {@link Turn}. A device that was
 * handed over is left as it is until it is taken back. Devices leave on threads of their own, and one that has not left
 * is not served anew. A thread waits {@value #WAIT_MILLIS} ms at most for the turn, and as long for devices that leave;
 * only {@link #close} waits longer. While another thread has a long turn, a device that is to leave is sent off at the
 * end of that turn, and one that is to be served waits for the next {@linkplain #update update}. The README tells which
 * thread waits for which.
 */
final class DeviceServices implements Lending {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceServices.class);

    /** How long a thread waits for the turn, and then for devices to be closed. */
    static final long WAIT_MILLIS = 2_000;
    /** How long a process that wants its device back waits until it is closed. */
    static final long RETURN_MILLIS = 4_000;
    /** How long the end waits for migrations to put their devices in order: longer than these are given by default. */
    static final long STOP_WAIT_MILLIS = 15_000;

    /** That of the product: a test whose machine stalls for seconds has more. */
    static final Patience PATIENCE = new Patience(WAIT_MILLIS, RETURN_MILLIS, STOP_WAIT_MILLIS);

    /** Devices that could not be served, since their service before had not left: served as soon as it has. */
    private final Map<String, FoundDevice> late = new HashMap<>();
    private final Turn turn = new Turn();
    private final Leavings leavings = new Leavings(this::serveLate);
    private final ServedDevices served;
    private final DevicePublisher publisher;
    private final Patience patience;

    /**
     * Serves nothing yet.
     *
     * @param factory asked for when the first device is opened, since it binds native code
     * @param patience {@link #PATIENCE} but in tests
     */
    DeviceServices(
            Supplier<DriverFactory> factory, DriverRegistry registry, String hostName, Patience patience) {
        this.patience = patience;
        served = new ServedDevices(leavings, patience.waitMillis());
        publisher = new DevicePublisher(factory, registry, served, new Terms(BackendSettings.none(), hostName));
    }

    /**
     * Brings the services in line with what the host has and what is configured.
     *
     * @return false when nothing was done, and is to be tried again soon: an operation has not returned in time
     */
    boolean update(List<FoundDevice> found, BackendSettings wanted) {
        if (!turn.enter(patience.waitMillis())) {
            LOG.warn("the devices of this host will be scanned later: an operation on one of them has not returned");
            return false;
        }
        try {
            takeOver(found, wanted);
            return true;
        } finally {
            turn.leave();
        }
    }

    private void takeOver(List<FoundDevice> found, BackendSettings wanted) {
        Terms before = publisher.terms();
        Terms now = new Terms(wanted, before.hostName());
        publisher.terms(now, found);
        late.clear();
        Map<String, FoundDevice> present = new HashMap<>();
        found.forEach(device -> present.put(device.name(), device));
        boolean renamed = !now.host().equals(before.host());
        served.withdraw((name, one) -> !one.lent() && (renamed || !mayStay(one, present.get(name))));
        found.forEach(this::serve);
    }

    /** Whether a device's service is right, or is to stay until it is known which one takes its place. */
    private boolean mayStay(Served now, FoundDevice device) {
        if (device == null) {
            return false;
        }
        Optional<String> obstacle = publisher.terms().obstacle(device);
        return obstacle.isEmpty() || now.isExplainedBy(publisher.explanation(device, obstacle.get()));
    }

    /** A device has left; on its own thread. When another thread has a long turn, the next update serves it. */
    private void serveLate(String name) {
        if (!turn.enter(patience.waitMillis())) {
            return;
        }
        try {
            FoundDevice device = late.remove(name);
            if (device != null) {
                serve(device);
            }
        } finally {
            turn.leave();
        }
    }

    /** One device that cannot be served must not keep the others. */
    private void serve(FoundDevice device) {
        if (publisher.isClosed() || served.get(device.name()).filter(Served::lent).isPresent()) {
            return;
        }
        try {
            if (leavings.has(device.name()) || !publisher.publish(device)) {
                late.put(device.name(), device);
            }
        } catch (RuntimeException e) {
            LOG.error("{} is not served", id(device.name()), e);
        }
    }

    /**
     * Serves a device that another process has opened and handed over.
     *
     * @param open closed here, at once when it cannot be served
     * @return its id
     * @throws DeviceException EBUSY when it is open here already or still leaving, another thread has a long turn, or
     *     the bundle stops; EOPNOTSUPP when it cannot be migrated
     */
    @Override
    public String lend(FoundDevice device, OpenDevice open) throws DeviceException {
        if (!turn.enter(patience.waitMillis())) {
            open.close();
            throw busy("another device is waited for; try again later");
        }
        boolean passedOn = false;
        try {
            requireFree(device);
            passedOn = true;
            if (!publisher.publishLent(device, open)) {
                throw publisher.isClosed() ? comesTooLate(device) : isLeaving(device);
            }
            return id(device.name());
        } finally {
            if (!passedOn) {
                open.close();
            }
            turn.leave();
        }
    }

    private void requireFree(FoundDevice device) throws DeviceException {
        if (leavings.has(device.name())) {
            throw isLeaving(device);
        }
        if (publisher.isClosed()) {
            throw comesTooLate(device);
        }
        if (served.get(device.name()).filter(Served::isOpen).isPresent()) {
            throw busy(id(device.name()) + " is open already");
        }
    }

    private DeviceException isLeaving(FoundDevice device) {
        return busy(id(device.name()) + " is still being closed by its previous user; try again later");
    }

    private DeviceException comesTooLate(FoundDevice device) {
        return busy(id(device.name()) + " was handed over while this program stops");
    }

    private static DeviceException busy(String why) {
        return new DeviceException(Errno.EBUSY, why);
    }

    /**
     * The process that handed a device over wants it back. What this gives is late when the device is still in use
     * after {@value #RETURN_MILLIS} ms; that ends as soon as the kernel lets it.
     */
    @Override
    public Lending.WayBack takeBack(String name) {
        Turn.Wish sentOff = wishBack(name);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(patience.returnMillis());
        return new Lending.WayBack() {
            @Override
            public Optional<String> obstacle() {
                return sentOff.isDone()
                        ? leavings.obstacle(name)
                        : Optional.of(id(name) + " will be closed once a pending operation on another device returns");
            }

            @Override
            public boolean isLate() {
                return System.nanoTime() - deadline >= 0;
            }
        };
    }

    @Override
    public void letGo(String name) {
        wishBack(name);
    }

    private Turn.Wish wishBack(String name) {
        return turn.wish(() -> served.sendOff((one, now) -> one.equals(name) && now.lent()));
    }

    /**
     * Withdraws all; nothing is served any more. Waits for what is under way, for a bounded time, and says in the log
     * what is left running then.
     */
    void close() {
        publisher.close();
        served.sendOffAll();
        // Once more, for the device that a thread was about to serve in its turn.
        boolean alone = turn.wish(served::sendOffAll).await(patience.waitMillis());
        List<String> left = new ArrayList<>(leavings.awaitAll(patience.stopWaitMillis(), patience.waitMillis()));
        if (!alone) {
            left.add("a device of " + publisher.terms().host()
                    + " is being opened; it will be closed when that is done");
        }
        if (!left.isEmpty()) {
            LOG.warn("the VFIO backend stops while something is still under way: {}", String.join("; ", left));
        }
    }

    private String id(String name) {
        return publisher.terms().id(name);
    }
}
