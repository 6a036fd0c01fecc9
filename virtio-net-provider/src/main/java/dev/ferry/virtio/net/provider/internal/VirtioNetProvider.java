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
import java.util.Optional;
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
    private final ProviderSettings settings = new ProviderSettings();

    /** The channel stays the same for all set-ups: it knows which commands are still with the device. */
    private record Owner(String id, AdminQueue queue, AdminChannel channel, OwnerDrivers drivers) {}

    /** By service id: one queue object may be registered for several owners. */
    private final Map<Object, Owner> owners = new ConcurrentHashMap<>();

    private final ThreadPoolExecutor setup;

    /** Called by Declarative Services. */
    @Activate
    public VirtioNetProvider(
            BundleContext context,
            @Reference(target = "(" + StreamFormat.NAME + "=" + FORMAT_NAME + ")") StreamFormat format,
            ProviderConfiguration configuration) {
        this(format, (driver, properties) -> register(context, driver, properties));
        settings.configure(configuration);
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

    private static Runnable register(BundleContext context, MigrationDriver driver, Map<String, Object> properties) {
        Dictionary<String, Object> dictionary = new Hashtable<>(properties);
        ServiceRegistration<MigrationDriver> registration =
                context.registerService(MigrationDriver.class, driver, dictionary);
        return () -> {
            try {
                registration.unregister();
            } catch (IllegalStateException e) {
                LOG.debug("{} was unregistered by the framework", properties.get(MigrationDriver.DEVICE_ID), e);
            }
        };
    }

    /** For tests: the settings to change. */
    ProviderSettings settings() {
        return settings;
    }

    /** Takes a changed configuration; holds from the next command on. */
    @Modified
    void modified(ProviderConfiguration configuration) {
        settings.configure(configuration);
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
        Owner owner = new Owner(
                ownerId,
                queue,
                new AdminChannel(ownerId, queue, settings.timeout(), new SystemClock()),
                new OwnerDrivers(ownerId, host, format, FORMAT_NAME, registry, settings.timeout()));
        owners.put(properties.get(Constants.SERVICE_ID), owner);
        changeMembers(owner, properties);
    }

    /** The number of members changed; called by Declarative Services. */
    void updatedAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        Owner owner = owners.get(properties.get(Constants.SERVICE_ID));
        if (owner != null) {
            changeMembers(owner, properties);
        }
    }

    /** An owner device leaves; called by Declarative Services while the queue still works. */
    void removeAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        Owner owner = owners.remove(properties.get(Constants.SERVICE_ID));
        if (owner != null) {
            owner.drivers().close();
        }
    }

    /** Unregisters every driver while format and queues still work; called by Declarative Services. */
    @Deactivate
    void deactivate() {
        List<Owner> leaving = new ArrayList<>(owners.values());
        leaving.forEach(owner -> owner.drivers().close());
        setup.shutdownNow();
        try {
            if (!setup.awaitTermination(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("an owner device still keeps its set-up waiting; it is broken off behind the present command");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void changeMembers(Owner owner, Map<String, Object> properties) {
        owner.drivers().members(membersOf(owner.id(), properties));
        if (owner.drivers().beginSetup()) {
            awaitBriefly(setup.submit(() -> setUp(owner)), owner.id());
        }
    }

    private void setUp(Owner owner) {
        Optional<String> failure;
        do {
            failure = trySetUp(owner);
        } while (failure.isPresent() && owner.drivers().setupFailed(failure.get()));
    }

    /** Sets an owner up; the reason where that is not possible. */
    private Optional<String> trySetUp(Owner owner) {
        OwnerDrivers drivers = owner.drivers();
        try {
            OwnerDevice device =
                    new OwnerSetup(owner.id(), owner.queue(), owner.channel(), settings, drivers::isClosed).run();
            if (!drivers.ready(device)) {
                return Optional.of("the members of " + owner.id() + " left during its set-up");
            }
            LOG.info("{} is set up: at most {} data transfer sessions at once", owner.id(), device.ids().limit());
            return Optional.empty();
        } catch (DeviceException e) {
            if (drivers.isClosed()) {
                LOG.debug("the set-up of {} was broken off: {}", owner.id(), e.getMessage());
            } else {
                LOG.warn("no member of {} can be migrated: {}", owner.id(), e.getMessage());
            }
            return Optional.of(e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("the set-up of {} failed", owner.id(), e); // on a thread whose result nobody may be waiting for
            return Optional.of("the set-up of " + owner.id() + " failed: " + e);
        }
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
