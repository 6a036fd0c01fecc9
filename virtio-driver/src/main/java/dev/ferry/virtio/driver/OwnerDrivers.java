// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.MigrationDriver;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The drivers of one owner device: as many services as it has members, once its set-up is done, and none after it left.
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
    }

    private record Registered(MemberDriver driver, Runnable unregister) {}

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

    private volatile O owner;
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
        if (closed || members == 0 || owner != null) {
            return false;
        }
        setupWantedAgain = settingUp;
        boolean begins = !settingUp;
        settingUp = true;
        return begins;
    }

    /**
     * The set-up failed; the next change of members is a reason to try again.
     *
     * @return whether such a change came while the set-up was under way: the caller has to set the owner up again now
     */
    synchronized boolean setupFailed() {
        settingUp = false;
        return setupWantedAgain && beginSetup();
    }

    /** Whether the owner has left; may be asked during a set-up. */
    boolean isClosed() {
        return closed;
    }

    /** The set-up is done: drivers may be registered. */
    void ready(O device) {
        owner = device;
        reconcile();
    }

    /** The owner has this many members now. */
    void members(int count) {
        members = count;
        reconcile();
    }

    /** The owner leaves; when this returns no driver is registered. */
    void close() {
        closed = true;
        reconcile();
    }

    private int wanted() {
        return closed || owner == null ? 0 : members;
    }

    private void reconcile() {
        lock.lock();
        try {
            while (registered.size() != wanted()) {
                if (registered.size() < wanted()) {
                    add(registered.size() + 1);
                } else {
                    remove(registered.removeLast());
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void add(int member) {
        String id = ownerId + "/vf" + member;
        MemberDriver driver = kind.factory().create(id, owner, member);
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationDriver.DEVICE_ID, id);
        properties.put(MigrationDriver.DEVICE_TYPE, kind.deviceType());
        properties.put(MigrationDriver.BACKEND, kind.backend());
        properties.put(MigrationDriver.HOST, host);
        properties.put(MigrationDriver.OWNER, ownerId);
        properties.put(MigrationDriver.MEMBER, member);
        properties.put(MigrationDriver.STREAM_FORMAT, kind.formatName());
        registered.addLast(new Registered(driver, kind.registry().register(driver, properties)));
    }

    /** One driver that cannot leave in order must not keep the others registered. */
    private static void remove(Registered leaving) {
        try {
            try {
                leaving.unregister().run();
            } finally {
                leaving.driver().depart();
            }
        } catch (RuntimeException e) {
            LOG.error("{} did not leave in order", leaving.driver().deviceId(), e);
        }
    }
}
