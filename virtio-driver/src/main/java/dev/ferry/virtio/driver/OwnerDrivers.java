// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.MigrationDriver;
import dev.ferry.device.UnmigratableDriver;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
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
public final class OwnerDrivers<O> {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerDrivers.class);

    /**
     * What the drivers of one bundle have in common.
     *
     * @param <O> an owner device whose set-up is done
     * @param deviceType of the members, as {@link MigrationDriver#DEVICE_TYPE}
     * @param backend as {@link MigrationDriver#BACKEND}
     * @param formatName as {@link MigrationDriver#STREAM_FORMAT}
     * @param factory makes the driver of a member
     * @param registry where drivers become services
     */
    public record Kind<O>(
            String deviceType, String backend, String formatName, Factory<O> factory, DriverRegistry registry) {}

    /** Makes drivers. */
    @FunctionalInterface
    public interface Factory<O> {
        /** The driver of one member. */
        MemberDriver create(String deviceId, O owner, int member);

        /** More service properties of the drivers of an owner. */
        default Map<String, Object> properties(O owner) {
            return Map.of();
        }
    }

    /** What drivers are made of. */
    private sealed interface Basis<O> {}

    private record Ready<O>(O owner) implements Basis<O> {}

    private record Refused<O>(String reason) implements Basis<O> {}

    private record Registered(String deviceId, Runnable unregister, Runnable depart) {}

    private final String ownerId;
    private final String host;
    private final Kind<O> kind;

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

    /** Null before the set-up. */
    private volatile Basis<O> basis;

    /** What the registered drivers were made of; guarded by the lock. */
    private Basis<O> registeredBasis;

    private volatile int members;
    private volatile boolean closed;

    /** No driver is registered yet. */
    public OwnerDrivers(String ownerId, String host, Kind<O> kind) {
        this.ownerId = ownerId;
        this.host = host;
        this.kind = kind;
    }

    /**
     * Whether the caller has to set the owner up now. Not before it has members: without them the group that the
     * commands go to does not exist. Not while another thread is at it.
     */
    synchronized boolean beginSetup() {
        if (closed || members == 0 || basis instanceof Ready) {
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
     * @param reason one sentence; empty when its members are not for these drivers to show
     * @return whether such a change came while the set-up was under way: the caller has to set the owner up again now
     */
    boolean setupFailed(Optional<String> reason) {
        boolean again;
        synchronized (this) {
            settingUp = false;
            again = setupWantedAgain && beginSetup();
            if (!again && members > 0) {
                basis = reason.map(Refused<O>::new).orElse(null);
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
    boolean ready(O device) {
        synchronized (this) {
            if (departures != departuresAtSetup) {
                return false;
            }
            settingUp = false;
            basis = new Ready<>(device);
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
            boolean moved;
            do {
                moved = takeOneStep(); // each looks again: what is wanted may have changed meanwhile
            } while (moved);
        } finally {
            lock.unlock();
        }
    }

    /** Adds or removes one driver, where that is due. */
    private boolean takeOneStep() {
        Basis<O> wantedBasis = closed ? null : basis;
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

    private void add(int member, Basis<O> madeOf) {
        String id = ownerId + "/vf" + member;
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationDriver.DEVICE_ID, id);
        properties.put(MigrationDriver.DEVICE_TYPE, kind.deviceType());
        properties.put(MigrationDriver.BACKEND, kind.backend());
        properties.put(MigrationDriver.HOST, host);
        properties.put(MigrationDriver.OWNER, ownerId);
        properties.put(MigrationDriver.MEMBER, member);
        properties.put(MigrationDriver.STREAM_FORMAT, kind.formatName());
        if (madeOf instanceof Ready<O> ready) {
            MemberDriver driver = kind.factory().create(id, ready.owner(), member);
            properties.putAll(kind.factory().properties(ready.owner()));
            register(id, driver, properties, driver::depart);
        } else if (madeOf instanceof Refused<O> refused) {
            properties.put(MigrationDriver.NOT_MIGRATABLE, refused.reason());
            register(id, new UnmigratableDriver(id, refused.reason()), properties, () -> {});
        }
    }

    private void register(String id, MigrationDriver driver, Map<String, Object> properties, Runnable depart) {
        registered.addLast(new Registered(id, kind.registry().register(driver, properties), depart));
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
