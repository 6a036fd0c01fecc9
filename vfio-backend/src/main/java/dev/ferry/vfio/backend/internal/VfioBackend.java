// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.osgi.framework.BundleContext;
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
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(BackendConfiguration.class);

    static final long FIRST_LOOK_MILLIS = 1_000;
    /** After which the host is looked at again when another thread had a long turn. */
    private static final long AGAIN_SECONDS = 1;
    private static final long STOP_WAIT_SECONDS = 5;

    private final long firstLookMillis;
    private final DeviceFinder finder;
    private final DeviceServices services;
    private final Handover handover;
    private final Outcome outcome;
    private final ScheduledThreadPoolExecutor executor;
    private volatile BackendSettings settings = BackendSettings.none();
    private ScheduledFuture<?> rescan;
    /** Of the executor's thread. */
    private Optional<Future<?>> again = Optional.empty();
    /** Of the executor's thread: the last scan failed. */
    private boolean blind;

    /** Called by Declarative Services. */
    @Activate
    public VfioBackend(BundleContext context, BackendConfiguration configuration, Map<String, Object> properties) {
        this(Path.of("/"), Once.of(LinuxSystemCalls::new),
                new FrameworkRegistry(context),
                outcome -> FrameworkRegistry.register(context, ConfigurationOutcome.class, outcome, Map.of()),
                FIRST_LOOK_MILLIS, DeviceServices.PATIENCE);
        activate(configuration, properties);
    }

    VfioBackend(
            Path root,
            Supplier<SystemCalls> calls,
            DriverRegistry registry,
            Function<ConfigurationOutcome, Runnable> outcomes,
            long firstLookMillis,
            Patience patience) {
        this.firstLookMillis = firstLookMillis;
        outcome = new Outcome(outcomes);
        finder = new DeviceFinder(root);
        services = new DeviceServices(Once.of(() -> new DriverFactory(calls.get(), root)), registry, hostName(root),
                patience);
        handover = new Handover(calls, root, services);
        // After the shutdown a look is discarded, not refused.
        executor = new ScheduledThreadPoolExecutor(1, VfioBackend::thread, new ThreadPoolExecutor.DiscardPolicy());
        executor.setRemoveOnCancelPolicy(true);
    }

    /** Whatever began ends when this fails: Declarative Services deactivates only what was activated. */
    void activate(BackendConfiguration configuration, Map<String, Object> properties) {
        try {
            modified(configuration, properties);
        } catch (Throwable e) {
            endAfter(e);
            throw e;
        }
    }

    private void endAfter(Throwable first) {
        try {
            deactivate();
        } catch (Throwable e) {
            first.addSuppressed(e);
        }
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

    /**
     * Takes a configuration, and answers. An invalid one is logged, and what held before goes on undisturbed: nothing
     * configured at first.
     */
    @Modified
    synchronized void modified(BackendConfiguration configuration, Map<String, Object> properties) {
        KEYS.tellUnknown(BackendConfiguration.PID, properties.keySet(), LOG::warn);
        Optional<String> refusal = take(configuration);
        if (refusal.isEmpty() || rescan == null) {
            follow();
        }
        refusal.ifPresentOrElse(reason -> outcome.refused(properties, reason), () -> outcome.taken(properties));
    }

    /** Gives why it is not taken. */
    private Optional<String> take(BackendConfiguration configuration) {
        try {
            settings = BackendSettings.of(configuration);
            return Optional.empty();
        } catch (RuntimeException e) { // Declarative Services throws what it likes when a value is read
            return Optional.of(Objects.requireNonNullElse(e.getMessage(), e.toString()));
        }
    }

    /** Brings all in line with the settings, now and from now on. */
    private void follow() {
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
            boolean all = services.update(finder.find(wanted.devices()), wanted);
            blind = false;
            if (!all) {
                lookAgainSoon();
            }
        } catch (IOException e) {
            tellBlind(e);
        } catch (Throwable e) {
            LOG.error("looking for VFIO devices failed", e);
        }
        handover.follow();
    }

    /** Once, until a scan succeeds. */
    private void tellBlind(IOException e) {
        if (!blind) {
            LOG.warn("cannot scan the host for VFIO devices, and tries again every {} s: {}",
                    settings.rescanSeconds(), e.toString());
        }
        blind = true;
    }

    /** What is configured is not to wait for the next scan; one look at a time waits, however many come too early. */
    private void lookAgainSoon() {
        again.ifPresent(look -> look.cancel(false));
        again = Optional.of(executor.schedule(this::look, AGAIN_SECONDS, TimeUnit.SECONDS));
    }

    private void awaitBriefly(Future<?> look) {
        try {
            look.get(firstLookMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.info("opening VFIO devices is taking long; their drivers will be registered when it is done");
        } catch (ExecutionException e) {
            LOG.error("looking for VFIO devices failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Withdraws every service and closes every device; called by Declarative Services. Every wait in it is bounded, and
     * what is left running when all are over ends by itself: {@link DeviceServices#close} says what that is.
     */
    @Deactivate
    synchronized void deactivate() {
        outcome.withdraw();
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
                LOG.warn("the backend stops before its look at the devices of this host has ended");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
