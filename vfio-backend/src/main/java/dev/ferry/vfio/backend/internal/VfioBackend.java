// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the VFIO devices of this host: looks for them on an own thread, now and then, and takes devices that others
 * hand over. Activation waits for the first look {@value #FIRST_LOOK_MILLIS} ms at most.
 */
@Component(service = {}, configurationPid = BackendConfiguration.PID, immediate = true)
@Designate(ocd = BackendConfiguration.class)
public final class VfioBackend {
    private static final Logger LOG = LoggerFactory.getLogger(VfioBackend.class);

    static final long FIRST_LOOK_MILLIS = 1_000;
    private static final long STOP_WAIT_SECONDS = 5;

    private final Path root;
    private final long firstLookMillis;
    private final DeviceFinder finder;
    private final DeviceServices services;
    private final Handover handover;
    private final ScheduledThreadPoolExecutor executor;
    private volatile BackendSettings settings = BackendSettings.none();
    private ScheduledFuture<?> rescan;

    /** Called by Declarative Services. */
    @Activate
    public VfioBackend(BundleContext context, BackendConfiguration configuration) {
        this(Path.of("/"), Once.of(LinuxSystemCalls::new), (driver, properties) ->
                register(context, driver, properties), FIRST_LOOK_MILLIS);
        modified(configuration);
    }

    VfioBackend(Path root, Supplier<SystemCalls> calls, DriverRegistry registry, long firstLookMillis) {
        this.root = root;
        this.firstLookMillis = firstLookMillis;
        finder = new DeviceFinder(root);
        services = new DeviceServices(Once.of(() -> new DriverFactory(calls.get(), root)), registry, hostName(root));
        handover = new Handover(calls, root, services);
        executor = new ScheduledThreadPoolExecutor(1, VfioBackend::thread);
        executor.setRemoveOnCancelPolicy(true);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(null, task, "ferry-vfio", 0, false);
        thread.setContextClassLoader(VfioBackend.class.getClassLoader());
        thread.setDaemon(true);
        return thread;
    }

    private static String hostName(Path root) {
        try {
            return Files.readString(root.resolve("proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            LOG.debug("the host does not tell its name", e);
            return "localhost";
        }
    }

    private static Runnable register(BundleContext context, MigrationDriver driver, Map<String, Object> properties) {
        Dictionary<String, Object> dictionary = new Hashtable<>(properties);
        ServiceRegistration<MigrationDriver> registration =
                context.registerService(MigrationDriver.class, driver, dictionary);
        return () -> {
            try {
                registration.unregister();
            } catch (IllegalStateException e) {
                LOG.debug("{} was unregistered by the framework", dictionary.get(MigrationDriver.DEVICE_ID), e);
            }
        };
    }

    /** Takes a configuration. An invalid one is logged, and what held before goes on: nothing configured at first. */
    @Modified
    synchronized void modified(BackendConfiguration configuration) {
        try {
            settings = BackendSettings.of(configuration);
        } catch (RuntimeException e) { // a value that cannot be converted is thrown when it is read
            LOG.error("the configuration {} is not taken: {}", BackendConfiguration.PID, e.getMessage());
        }
        if (rescan != null) {
            rescan.cancel(false);
        }
        awaitBriefly(executor.submit(this::look));
        rescan = executor.scheduleWithFixedDelay(
                this::look, settings.rescanSeconds(), settings.rescanSeconds(), TimeUnit.SECONDS);
        handover.want(settings.handoverSocket(), settings.handoverUsers());
    }

    /** Throws nothing: that would end the looking for ever. */
    private void look() {
        BackendSettings wanted = settings;
        try {
            services.update(finder.find(wanted.devices()), wanted);
        } catch (IOException e) {
            LOG.warn("the host cannot be looked over for VFIO devices: {}", e.toString());
        } catch (Throwable e) {
            LOG.error("looking for VFIO devices failed", e);
        }
        handover.follow();
    }

    private void awaitBriefly(Future<?> look) {
        try {
            look.get(firstLookMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.info("opening VFIO devices takes long; their drivers come later");
        } catch (ExecutionException e) {
            LOG.error("looking for VFIO devices failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Withdraws every service and closes every device; called by Declarative Services. */
    @Deactivate
    synchronized void deactivate() {
        executor.shutdownNow();
        try {
            handover.close();
            awaitLook();
        } finally {
            services.close();
        }
    }

    private void awaitLook() {
        try {
            if (!executor.awaitTermination(STOP_WAIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("a device of {} still keeps its opening waiting", root);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
