// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.AdminQueue;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds owner devices with virtio-net members and registers a migration driver per member.
 *
 * <p>Lives as long as the stream format: when the format leaves, this component ends, and with it every driver, while
 * format and queues still work. Set-up of an owner device runs on an own thread; whoever announces the owner waits for
 * it {@value #SETUP_WAIT_MILLIS} ms at most, so that drivers of a device that answers are there at once, and one that
 * does not answer holds up nobody.
 */
@Component(service = {}, configurationPid = ProviderConfiguration.PID, immediate = true)
@Designate(ocd = ProviderConfiguration.class)
public final class VirtioNetProvider {
    private static final Logger LOG = LoggerFactory.getLogger(VirtioNetProvider.class);

    static final String FORMAT_NAME = "virtiovf";
    static final long SETUP_WAIT_MILLIS = 1_000;

    private static final int SETUP_THREADS = 4;
    private static final long IDLE_SECONDS = 2;
    private static final long STOP_WAIT_SECONDS = 5;

    private final StreamFormat format;
    private final DriverRegistry registry;
    private final CommandTimeout timeout = new CommandTimeout();

    /** By service id: one queue object may be registered for several owners. */
    private final Map<Object, OwnerDrivers> owners = new ConcurrentHashMap<>();

    private final ThreadPoolExecutor setup;

    /** Called by Declarative Services. */
    @Activate
    public VirtioNetProvider(
            BundleContext context,
            @Reference(target = "(" + StreamFormat.NAME + "=" + FORMAT_NAME + ")") StreamFormat format,
            ProviderConfiguration configuration) {
        this(format, (driver, properties) -> register(context, driver, properties));
        timeout.configure(configuration::command_timeout_millis);
    }

    VirtioNetProvider(StreamFormat format, DriverRegistry registry) {
        this.format = format;
        this.registry = registry;
        AtomicInteger number = new AtomicInteger();
        setup = new ThreadPoolExecutor(
                SETUP_THREADS, SETUP_THREADS, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task ->
                        thread(task, number.incrementAndGet()));
        setup.allowCoreThreadTimeOut(true);
    }

    /** Nothing of whoever announces an owner is inherited: its class loader would be kept alive. */
    private static Thread thread(Runnable task, int number) {
        Thread thread = new Thread(null, task, "ferry-virtio-net-setup-" + number, 0, false);
        thread.setContextClassLoader(VirtioNetProvider.class.getClassLoader());
        thread.setDaemon(true);
        return thread;
    }

    private static Runnable register(BundleContext context, VirtioNetDriver driver, Map<String, Object> properties) {
        Dictionary<String, Object> dictionary = new Hashtable<>(properties);
        ServiceRegistration<MigrationDriver> registration =
                context.registerService(MigrationDriver.class, driver, dictionary);
        return () -> {
            try {
                registration.unregister();
            } catch (IllegalStateException e) {
                LOG.debug("{} was unregistered by the framework", driver.deviceId(), e);
            }
        };
    }

    /** Takes a changed configuration; holds from the next command on. */
    @Modified
    void modified(ProviderConfiguration configuration) {
        timeout.configure(configuration::command_timeout_millis);
    }

    /** An owner device appeared; called by Declarative Services. */
    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            target = "(" + AdminQueue.MEMBER_TYPE + "=" + OwnerDrivers.DEVICE_TYPE + ")")
    void addAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        if (!(properties.get(AdminQueue.OWNER_ID) instanceof String ownerId)
                || !(properties.get(AdminQueue.HOST) instanceof String host)) {
            LOG.warn("an admin queue without {} or {} is ignored", AdminQueue.OWNER_ID, AdminQueue.HOST);
            return;
        }
        OwnerDrivers drivers = new OwnerDrivers(ownerId, host, format, FORMAT_NAME, registry, timeout);
        owners.put(properties.get(Constants.SERVICE_ID), drivers);
        changeMembers(ownerId, queue, drivers, properties);
    }

    /** The number of members changed; called by Declarative Services. */
    void updatedAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        OwnerDrivers drivers = owners.get(properties.get(Constants.SERVICE_ID));
        if (drivers != null) {
            changeMembers(String.valueOf(properties.get(AdminQueue.OWNER_ID)), queue, drivers, properties);
        }
    }

    /** An owner device leaves; called by Declarative Services while the queue still works. */
    void removeAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        OwnerDrivers drivers = owners.remove(properties.get(Constants.SERVICE_ID));
        if (drivers != null) {
            drivers.close();
        }
    }

    /** Unregisters every driver while format and queues still work; called by Declarative Services. */
    @Deactivate
    void deactivate() {
        List<OwnerDrivers> leaving = new ArrayList<>(owners.values());
        leaving.forEach(OwnerDrivers::close);
        setup.shutdownNow();
        try {
            if (!setup.awaitTermination(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("an owner device still keeps its set-up waiting; it is broken off behind the present command");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void changeMembers(
            String ownerId, AdminQueue queue, OwnerDrivers drivers, Map<String, Object> properties) {
        drivers.members(membersOf(ownerId, properties));
        if (drivers.beginSetup()) {
            awaitBriefly(setup.submit(() -> setUp(ownerId, queue, drivers)), ownerId);
        }
    }

    private void setUp(String ownerId, AdminQueue queue, OwnerDrivers drivers) {
        boolean again;
        do {
            again = !trySetUp(ownerId, queue, drivers) && drivers.setupFailed();
        } while (again);
    }

    private boolean trySetUp(String ownerId, AdminQueue queue, OwnerDrivers drivers) {
        AdminChannel channel = new AdminChannel(ownerId, queue, timeout, new SystemClock());
        try {
            OwnerDevice owner = new OwnerSetup(ownerId, queue, channel, drivers::isClosed).run();
            drivers.ready(owner);
            LOG.info("{} is set up: at most {} data transfer sessions at once", ownerId, owner.ids().limit());
            return true;
        } catch (DeviceException e) {
            if (drivers.isClosed()) {
                LOG.debug("the set-up of {} was broken off: {}", ownerId, e.getMessage());
            } else {
                LOG.warn("no member of {} can be migrated: {}", ownerId, e.getMessage());
            }
        } catch (RuntimeException e) {
            LOG.error("the set-up of {} failed", ownerId, e); // on a thread whose result nobody may be waiting for
        }
        return false;
    }

    private static void awaitBriefly(Future<?> task, String ownerId) {
        try {
            task.get(SETUP_WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.info("{} takes long to set up; its drivers come later", ownerId);
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
