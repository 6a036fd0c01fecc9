// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.command.SystemClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.osgi.framework.Constants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the owner devices that there are: sets each up on an own thread, and keeps a driver per member.
 *
 * <p>Whoever announces an owner waits for its set-up {@value #SETUP_WAIT_MILLIS} ms at most, so that drivers of a
 * device that answers are there at once, and one that does not answer holds up nobody. Thread-safe; whoever makes it
 * closes it.
 *
 * @param <O> an owner device whose set-up is done
 */
public final class OwnerWatch<O> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerWatch.class);

    /** How long an announcement waits for the set-up. */
    public static final long SETUP_WAIT_MILLIS = 1_000;

    private static final List<String> MANDATORY =
            List.of(AdminQueue.OWNER_ID, AdminQueue.HOST, AdminQueue.MEMBER_TYPE);
    private static final int SETUP_THREADS = 4;
    private static final long IDLE_SECONDS = 2;
    private static final long STOP_WAIT_SECONDS = 5;

    /** The set-up of one owner device. */
    @FunctionalInterface
    public interface SetUp<O> {
        /**
         * Performs it.
         *
         * @param left whether the owner device has left; asked before each command
         * @throws OtherCommandSetException when the owner is one for another provider; it was told nothing
         * @throws CommandSetUnknownException when it may be
         * @throws DeviceException when its members cannot be migrated, or it has left
         */
        O run(String ownerId, AdminQueue queue, AdminChannel channel, BooleanSupplier left) throws DeviceException;
    }

    private final String threadName;
    private final OwnerDrivers.Kind<O> kind;
    private final SetUp<O> setUp;
    private final CommandTimeout timeout;
    private final long setupWaitMillis;

    /** The channel stays the same for all set-ups: it knows which commands are still with the device. */
    private record Owner<O>(String id, AdminQueue queue, AdminChannel channel, OwnerDrivers<O> drivers) {}

    /** By service id: one queue object may be registered for several owners. */
    private final Map<Object, Owner<O>> owners = new ConcurrentHashMap<>();

    /** By service id: those that are there and lack a property. */
    private final Set<Object> incomplete = ConcurrentHashMap.newKeySet();

    private final ThreadPoolExecutor executor;

    /**
     * No owner is there yet.
     *
     * @param setupWaitMillis {@link #SETUP_WAIT_MILLIS} but in tests, whose machine may stall for longer
     */
    public OwnerWatch(
            String threadName,
            OwnerDrivers.Kind<O> kind,
            SetUp<O> setUp,
            CommandTimeout timeout,
            long setupWaitMillis) {
        this.threadName = threadName;
        this.kind = kind;
        this.setUp = setUp;
        this.timeout = timeout;
        this.setupWaitMillis = setupWaitMillis;
        AtomicInteger number = new AtomicInteger();
        executor = new ThreadPoolExecutor(
                SETUP_THREADS, SETUP_THREADS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task ->
                        thread(task, number.incrementAndGet()));
        executor.allowCoreThreadTimeOut(true);
    }

    /** Nothing of whoever announces an owner is inherited: its class loader would be kept alive. */
    private Thread thread(Runnable task, int number) {
        Thread thread = new Thread(null, task, threadName + number, 0, false);
        thread.setContextClassLoader(OwnerWatch.class.getClassLoader());
        thread.setDaemon(true);
        return thread;
    }

    /** An owner device appeared. */
    public void add(AdminQueue queue, Map<String, Object> properties) {
        Optional<String> missing = missing(properties);
        if (missing.isPresent()) {
            LOG.warn("the admin queue service {} of bundle {} is ignored: it needs the property {}, a String",
                    properties.get(Constants.SERVICE_ID), properties.get(Constants.SERVICE_BUNDLEID), missing.get());
            incomplete.add(properties.get(Constants.SERVICE_ID));
            return;
        }
        String ownerId = (String) properties.get(AdminQueue.OWNER_ID);
        String host = (String) properties.get(AdminQueue.HOST);
        String type = (String) properties.get(AdminQueue.MEMBER_TYPE);
        if (!type.equals(kind.deviceType())) {
            LOG.info("{} is left alone: its members are {}, not {}", ownerId, type, kind.deviceType());
            return;
        }
        Owner<O> owner = new Owner<>(
                ownerId,
                queue,
                new AdminChannel(ownerId, queue, timeout, new SystemClock()),
                new OwnerDrivers<>(ownerId, host, kind));
        owners.put(properties.get(Constants.SERVICE_ID), owner);
        changeMembers(owner, properties);
    }

    /** The number of members changed, or properties that the owner device could not be used without have come. */
    public void update(AdminQueue queue, Map<String, Object> properties) {
        Object serviceId = properties.get(Constants.SERVICE_ID);
        Owner<O> owner = owners.get(serviceId);
        if (owner != null) {
            changeMembers(owner, properties);
        } else if (missing(properties).isEmpty() && incomplete.remove(serviceId)) {
            add(queue, properties);
        }
    }

    private static Optional<String> missing(Map<String, Object> properties) {
        return MANDATORY.stream().filter(each -> !(properties.get(each) instanceof String)).findFirst();
    }

    /** An owner device leaves, while the queue still works. */
    public void remove(Map<String, Object> properties) {
        incomplete.remove(properties.get(Constants.SERVICE_ID));
        Owner<O> owner = owners.remove(properties.get(Constants.SERVICE_ID));
        if (owner != null) {
            owner.drivers().close();
        }
    }

    /** Unregisters every driver, while format and queues still work. */
    @Override
    public void close() {
        List<Owner<O>> leaving = new ArrayList<>(owners.values());
        leaving.forEach(owner -> owner.drivers().close());
        executor.shutdownNow();
        try {
            if (!executor.awaitTermination(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("the set-up of an owner device has not ended yet; it stops after the present command");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void changeMembers(Owner<O> owner, Map<String, Object> properties) {
        owner.drivers().members(membersOf(owner.id(), properties));
        if (owner.drivers().beginSetup()) {
            awaitBriefly(executor.submit(() -> setUp(owner)), owner.id());
        }
    }

    private void setUp(Owner<O> owner) {
        boolean again;
        do {
            again = !trySetUp(owner);
        } while (again);
    }

    /** Sets an owner up; false when that has to be done again at once. */
    private boolean trySetUp(Owner<O> owner) {
        OwnerDrivers<O> drivers = owner.drivers();
        Optional<String> reason = Optional.empty();
        try {
            O device = setUp.run(owner.id(), owner.queue(), owner.channel(), drivers::isClosed);
            if (drivers.ready(device)) {
                LOG.info("{} is set up: its members can be migrated", owner.id());
                return true;
            }
            LOG.debug("the members of {} left during its set-up", owner.id());
        } catch (OtherCommandSetException e) {
            LOG.debug("{} is left alone: {}", owner.id(), e.getMessage());
        } catch (CommandSetUnknownException e) {
            report(owner, e);
        } catch (DeviceException e) {
            reason = Optional.of(e.getMessage());
            report(owner, e);
        } catch (RuntimeException e) {
            reason = Optional.of("the set-up of " + owner.id() + " failed: " + e);
            LOG.error("the set-up of {} failed", owner.id(), e); // on a thread whose result nobody may be waiting for
        }
        return !drivers.setupFailed(reason);
    }

    private static void report(Owner<?> owner, DeviceException e) {
        if (owner.drivers().isClosed()) {
            LOG.debug("the set-up of {} was broken off: {}", owner.id(), e.getMessage());
        } else {
            LOG.warn("no member of {} can be migrated: {}", owner.id(), e.getMessage());
        }
    }

    private void awaitBriefly(Future<?> task, String ownerId) {
        try {
            task.get(setupWaitMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.info("setting up {} is taking long; its drivers will be registered when it is done", ownerId);
        } catch (ExecutionException e) {
            LOG.error("the set-up of {} was broken off", ownerId, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static int membersOf(String ownerId, Map<String, Object> properties) {
        if (properties.get(AdminQueue.MEMBERS) instanceof Integer members && members >= 0) {
            return members;
        }
        LOG.warn("{} does not say how many members it has: {} must be an Integer", ownerId, AdminQueue.MEMBERS);
        return 0;
    }
}
