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
 * The drivers of one owner device: as many services as it has members, once its set-up is done, and none after it left.
 *
 * <p>Thread-safe. Whoever changes what is wanted brings the services in line before the call returns, or finds that the
 * thread that was at it has done so: a driver is never registered after {@link #close} returned.
 */
final class OwnerDrivers {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerDrivers.class);

    static final String DEVICE_TYPE = "virtio-net";
    static final String BACKEND = "virtio";

    private record Registered(VirtioNetDriver driver, Runnable unregister) {}

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

    private volatile OwnerDevice owner;
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
    void ready(OwnerDevice device) {
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
        VirtioNetDriver driver = new VirtioNetDriver(id, owner, member, format, timeout, System::nanoTime);
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationDriver.DEVICE_ID, id);
        properties.put(MigrationDriver.DEVICE_TYPE, DEVICE_TYPE);
        properties.put(MigrationDriver.BACKEND, BACKEND);
        properties.put(MigrationDriver.HOST, host);
        properties.put(MigrationDriver.OWNER, ownerId);
        properties.put(MigrationDriver.MEMBER, member);
        properties.put(MigrationDriver.STREAM_FORMAT, formatName);
        registered.addLast(new Registered(driver, registry.register(driver, properties)));
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
