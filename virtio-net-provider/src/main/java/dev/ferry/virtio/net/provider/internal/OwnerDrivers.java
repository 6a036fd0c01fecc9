// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.stream.StreamFormat;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The drivers of one owner device: as many services as it has members, once its set-up is done or has failed, and none
 * after it left. Drivers of a failed set-up tell why their members cannot be migrated.
 *
 * <p>Thread-safe. Whoever changes what is wanted brings the services in line before the call returns, or finds that the
 * thread that was at it has done so: a driver is never registered after {@link #close} returned.
 */
final class OwnerDrivers {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerDrivers.class);

    static final String DEVICE_TYPE = "virtio-net";
    static final String BACKEND = "virtio";

    private record Registered(String deviceId, Runnable unregister, Runnable depart) {}

    private final String ownerId;
    private final String host;
    private final StreamFormat format;
    private final String formatName;
    private final DriverRegistry registry;
    private final CommandTimeout timeout;

    /** Reentrant: a listener of a registration may make the owner leave on the same thread. */
    private final ReentrantLock lock = new ReentrantLock();

    /** By member id, ascending from 1; guarded by the lock. */
    private final Deque<Registered> registered = new ArrayDeque<>();

    /** Guarded by this object's monitor, and so is the next. */
    private boolean settingUp;

    /** Somebody wanted to begin a set-up while another thread was at it. */
    private boolean setupWantedAgain;

    /** How often all members have left, and at the beginning of the set-up; what a device was told is void then. */
    private int departures;

    private int departuresAtSetup;

    /** An {@link OwnerDevice} or the reason why there is none; null before the set-up. */
    private volatile Object basis;

    /** What the registered drivers were made of; guarded by the lock. */
    private Object registeredBasis;

    private volatile int members;
    private volatile boolean closed;

    OwnerDrivers(
            String ownerId,
            String host,
            StreamFormat format,
            String formatName,
            DriverRegistry registry,
            CommandTimeout timeout) {
        this.ownerId = ownerId;
        this.host = host;
        this.format = format;
        this.formatName = formatName;
        this.registry = registry;
        this.timeout = timeout;
    }

    /**
     * Whether the caller has to set the owner up now. Not before it has members: without them the group that the
     * commands go to does not exist. Not while another thread is at it.
     */
    synchronized boolean beginSetup() {
        if (closed || members == 0 || basis instanceof OwnerDevice) {
            return false;
        }
        setupWantedAgain = settingUp;
        boolean begins = !settingUp;
        settingUp = true;
        departuresAtSetup = begins ? departures : departuresAtSetup;
        return begins;
    }

    /**
     * The set-up failed; the next change of members is a reason to try again.
     *
     * @param reason one sentence
     * @return whether such a change came while the set-up was under way: the caller has to set the owner up again now
     */
    boolean setupFailed(String reason) {
        boolean again;
        synchronized (this) {
            settingUp = false;
            again = setupWantedAgain && beginSetup();
            if (!again && members > 0) {
                basis = reason;
            }
        }
        reconcile();
        return again;
    }

    /** Whether the owner has left; may be asked during a set-up. */
    boolean isClosed() {
        return closed;
    }

    /**
     * The set-up is done: drivers may be registered.
     *
     * @return false when all members have left meanwhile, and with them what the device was told: as if it had failed
     */
    boolean ready(OwnerDevice device) {
        synchronized (this) {
            if (departures != departuresAtSetup) {
                return false;
            }
            settingUp = false;
            basis = device;
        }
        reconcile();
        return true;
    }

    /**
     * The owner has this many members now. Without any, the group that commands go to is gone: the next members need
     * another set-up.
     */
    void members(int count) {
        synchronized (this) {
            members = count;
            if (count == 0) {
                departures++;
                basis = null;
            }
        }
        reconcile();
    }

    /** The owner leaves; when this returns no driver is registered. */
    void close() {
        closed = true;
        reconcile();
    }

    private void reconcile() {
        lock.lock();
        try {
            while (isOneStepFromWanted()) {
                // Each step looks again: what is wanted may have changed meanwhile.
            }
        } finally {
            lock.unlock();
        }
    }

    /** Adds or removes one driver where that is due. */
    private boolean isOneStepFromWanted() {
        Object wantedBasis = closed ? null : basis;
        int wanted = wantedBasis == null ? 0 : members;
        if (registered.size() > wanted || !registered.isEmpty() && registeredBasis != wantedBasis) {
            remove(registered.removeLast());
            return true;
        }
        if (registered.size() == wanted) {
            return false;
        }
        registeredBasis = wantedBasis;
        add(registered.size() + 1, wantedBasis);
        return true;
    }

    private void add(int member, Object madeOf) {
        String id = ownerId + "/vf" + member;
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationDriver.DEVICE_ID, id);
        properties.put(MigrationDriver.DEVICE_TYPE, DEVICE_TYPE);
        properties.put(MigrationDriver.BACKEND, BACKEND);
        properties.put(MigrationDriver.HOST, host);
        properties.put(MigrationDriver.OWNER, ownerId);
        properties.put(MigrationDriver.MEMBER, member);
        properties.put(MigrationDriver.STREAM_FORMAT, formatName);
        if (madeOf instanceof OwnerDevice owner) {
            VirtioNetDriver driver = new VirtioNetDriver(id, owner, member, format, timeout, System::nanoTime);
            properties.put(MigrationDriver.OWNER_SESSIONS, owner.ids().limit());
            registered.addLast(new Registered(id, registry.register(driver, properties), driver::depart));
        } else {
            String reason = String.valueOf(madeOf);
            properties.put(MigrationDriver.NOT_MIGRATABLE, reason);
            MigrationDriver driver = new UnmigratableDriver(id, reason);
            registered.addLast(new Registered(id, registry.register(driver, properties), () -> {}));
        }
    }

    /** One driver that cannot leave in order must not keep the others registered. */
    private static void remove(Registered leaving) {
        try {
            try {
                leaving.unregister().run();
            } finally {
                leaving.depart().run();
            }
        } catch (RuntimeException e) {
            LOG.error("{} did not leave in order", leaving.deviceId(), e);
        }
    }
}
