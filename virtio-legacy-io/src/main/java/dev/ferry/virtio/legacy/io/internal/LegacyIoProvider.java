// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.device.MigrationDriver;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionAccess;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
 * Finds owner devices and their members, and registers a {@link LegacyIo} per member that can have one.
 *
 * <p>Called by the service component runtime. Members are opened on an own thread. Whoever announces a member waits
 * for it {@value #OPEN_WAIT_MILLIS} ms at most, and not at all behind another one, so that services of a device that
 * answers are there at once, and one that does not answer holds up nobody.
 */
@Component(service = {}, configurationPid = LegacyIoConfiguration.PID, immediate = true)
@Designate(ocd = LegacyIoConfiguration.class)
public final class LegacyIoProvider {
    private static final Logger LOG = LoggerFactory.getLogger(LegacyIoProvider.class);
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(LegacyIoConfiguration.class);

    static final long OPEN_WAIT_MILLIS = 1_000;

    /** Those that lack a property the provider of virtio-net warns of, once for all. */
    static final String OWNERS = "(&(" + AdminQueue.MEMBER_TYPE + "=virtio-net)(" + AdminQueue.OWNER_ID + "=*))";

    private static final long IDLE_SECONDS = 2;
    private static final long STOP_WAIT_SECONDS = 5;

    private final CommandTimeout timeout = new CommandTimeout(LegacyIoConfiguration.PID);
    private final ThreadPoolExecutor opener = new ThreadPoolExecutor(
            1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), LegacyIoProvider::thread);
    private final Offers offers;
    /** By service id. */
    private final Map<Object, Owner> owners = new ConcurrentHashMap<>();

    /** Called by Declarative Services. */
    @Activate
    public LegacyIoProvider(
            BundleContext context, LegacyIoConfiguration configuration, Map<String, Object> properties) {
        modified(configuration, properties);
        opener.allowCoreThreadTimeOut(true);
        offers = new Offers((service, about) -> register(context, service, about), opener, timeout);
    }

    /** Nothing of whoever announces a member is inherited: its class loader would be kept alive. */
    private static Thread thread(Runnable task) {
        Thread thread = new Thread(null, task, "ferry-virtio-legacy-io", 0, false);
        thread.setContextClassLoader(LegacyIoProvider.class.getClassLoader());
        thread.setDaemon(true);
        return thread;
    }

    private static Runnable register(BundleContext context, LegacyIo service, Map<String, Object> properties) {
        Dictionary<String, Object> dictionary = new Hashtable<>(properties);
        ServiceRegistration<LegacyIo> registration = context.registerService(LegacyIo.class, service, dictionary);
        return () -> {
            try {
                registration.unregister();
            } catch (IllegalStateException e) {
                LOG.debug("a service was unregistered by the framework: {}", properties, e);
            }
        };
    }

    /** Takes a changed configuration; holds from the next command on. */
    @Modified
    void modified(LegacyIoConfiguration configuration, Map<String, Object> properties) {
        KEYS.tellUnknown(LegacyIoConfiguration.PID, properties.keySet(), LOG::warn);
        timeout.configure(configuration::command_timeout_millis);
    }

    /** An owner device appeared; called by Declarative Services. */
    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            target = OWNERS)
    void addAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        if (!(properties.get(AdminQueue.OWNER_ID) instanceof String id)) {
            LOG.debug("the admin queue service {} is ignored: its property {} is no String",
                    properties.get(Constants.SERVICE_ID), AdminQueue.OWNER_ID);
            return;
        }
        if (!(queue instanceof FunctionAccess functions)) {
            LOG.info("members of {} get no legacy I/O: its service gives no access to their PCI functions", id);
            return;
        }
        Owner owner = new Owner(id, new OwnerCommands(id, queue, timeout), functions);
        owners.put(properties.get(Constants.SERVICE_ID), owner);
        awaitBriefly(() -> offers.add(owner));
    }

    /** An owner device leaves; called by Declarative Services while the queue still works. */
    void removeAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        Owner owner = owners.remove(properties.get(Constants.SERVICE_ID));
        if (owner != null) {
            offers.remove(owner);
        }
    }

    /** A driver that can migrate appeared: commands of its owner are in use; called by Declarative Services. */
    @Reference(
            service = MigrationDriver.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            target = "(&(" + MigrationDriver.MEMBER + "=*)(!(" + MigrationDriver.NOT_MIGRATABLE + "=*)))")
    void addDriver(Map<String, Object> properties) {
        Member.of(properties)
                .ifPresent(member ->
                        awaitBriefly(() -> offers.addDriver(properties.get(Constants.SERVICE_ID), member)));
    }

    /** A member's driver leaves; called by Declarative Services. */
    void removeDriver(Map<String, Object> properties) {
        Member.of(properties).ifPresent(member -> offers.removeDriver(properties.get(Constants.SERVICE_ID), member));
    }

    /** Does something that may have members opened, and waits for what it has put behind nothing else. */
    private void awaitBriefly(Runnable announcement) {
        boolean idle = opener.getActiveCount() == 0;
        announcement.run();
        if (!idle || opener.getQueue().isEmpty() && opener.getActiveCount() == 0) {
            return;
        }
        try {
            opener.submit(() -> {}).get(OPEN_WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.info("opening members is taking long; their legacy I/O will be registered when it is done");
        } catch (ExecutionException | RejectedExecutionException e) {
            LOG.debug("members are not opened any more", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Withdraws every service; called by Declarative Services. */
    @Deactivate
    void deactivate() {
        opener.getQueue().clear();
        offers.close();
        opener.shutdownNow();
        try {
            if (!opener.awaitTermination(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("opening a member has not ended yet; it will be stopped after the present command");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
