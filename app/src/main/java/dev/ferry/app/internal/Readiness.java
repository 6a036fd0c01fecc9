// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.device.MigrationDriver;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import dev.ferry.virtio.AdminQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/**
 * Waits until what is configured is there for everybody: each configuration is answered, so that whoever listens for
 * the services of an adapter was told, the migration service knows a device per member of an adapter, and each VFIO
 * device that is configured was looked at: it is there as a device, or with the reason why it is none.
 *
 * <p>That a service is registered is not enough: its listeners are told one after the other, this one perhaps first.
 */
final class Readiness {

    private static final String DEVICES = "devices";

    /** Property of the backend's services: the device is in the configuration that is in force. */
    private static final String CONFIGURED = "ferry.vfio.configured";

    /** No event tells that the last listener was told, so this looks again. */
    private static final long LOOK_AGAIN_MILLIS = 2;

    private final BundleContext context;
    private final List<Configuration> adapters;
    private final List<Configuration> backends;
    private final LongSupplier nanoTime;

    /**
     * What to wait for.
     *
     * @param given configurations that somebody takes; those of adapters and of the VFIO backend are answered
     */
    Readiness(BundleContext context, List<Configuration> given) {
        this(context, given, System::nanoTime);
    }

    /** With another clock than {@link System#nanoTime}. */
    Readiness(BundleContext context, List<Configuration> given, LongSupplier nanoTime) {
        this.context = context;
        this.nanoTime = nanoTime;
        adapters = given.stream().filter(Configuration::isAdapter).toList();
        backends = given.stream().filter(Configuration::isVfio).toList();
    }

    /**
     * Waits until all is there, and no longer once a configuration was {@link #refused} or nothing new has come for a
     * while. How long all of it takes depends on how many devices there are and what each needs.
     *
     * @param patience how long nothing new may come
     * @return what is still missing, a clause for each adapter; empty when all is there
     */
    List<String> await(Duration patience) throws InterruptedException {
        Set<List<String>> seen = new HashSet<>();
        List<String> missing = missing();
        long deadline = 0;
        while (!missing.isEmpty() && refused().isEmpty()) {
            // What comes and goes again and again is nothing new.
            if (seen.add(missing)) {
                deadline = nanoTime.getAsLong() + patience.toNanos();
            } else if (deadline - nanoTime.getAsLong() < 0) {
                break;
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN_MILLIS);
            missing = missing();
        }
        return missing;
    }

    /** A sentence for each configuration that was refused: what it asks for will not come. */
    List<String> refused() {
        List<ConfigurationOutcome> outcomes = outcomes();
        return Stream.concat(adapters.stream(), backends.stream())
                .flatMap(given -> outcomes.stream().filter(outcome -> outcome.pid().equals(given.pid())))
                .flatMap(outcome -> outcome.refusal().stream().map(reason ->
                        "the configuration %s is not valid: %s; correct it".formatted(outcome.pid(), reason)))
                .toList();
    }

    private List<String> missing() {
        Set<String> answered =
                outcomes().stream().map(ConfigurationOutcome::pid).collect(Collectors.toUnmodifiableSet());
        List<DeviceDescription> devices = devices();
        List<String> missing = new ArrayList<>();
        for (Configuration adapter : adapters) {
            String owner = Adapters.ownerId(adapter.properties());
            Optional<Integer> members = answered.contains(adapter.pid()) ? membersOf(owner) : Optional.empty();
            long present = devices.stream()
                    .filter(device -> device.owner().equals(Optional.of(owner)))
                    .count();
            if (members.isEmpty()) {
                missing.add("the owner device " + owner);
            } else if (present < members.get()) {
                missing.add("%d of the %d devices of %s".formatted(members.get() - present, members.get(), owner));
            }
        }
        for (Configuration backend : backends) {
            if (!answered.contains(backend.pid())) {
                missing.add("an answer to the configuration " + backend.pid());
            }
            for (String name : vfioDevices(backend)) {
                if (devices.stream().noneMatch(device -> device.id().endsWith("/" + name)) || !isLookedAt(name)) {
                    missing.add("the VFIO device " + name);
                }
            }
        }
        return missing;
    }

    /** Names of the VFIO devices in a configuration, spelt as the backend spells them in ids. */
    private static List<String> vfioDevices(Configuration backend) {
        return Stream.ofNullable(backend.properties().get(DEVICES))
                .flatMap(value -> value instanceof List<?> list ? list.stream() : Stream.of(value))
                .map(name -> name.toString().strip().toLowerCase(Locale.ROOT))
                .toList();
    }

    /** Before the configuration has reached the backend, the device is there as one that is not configured. */
    private boolean isLookedAt(String name) {
        return services(MigrationDriver.class).stream()
                .anyMatch(reference -> Boolean.TRUE.equals(reference.getProperty(CONFIGURED))
                        && reference.getProperty(MigrationDriver.DEVICE_ID).toString().endsWith("/" + name));
    }

    private Optional<Integer> membersOf(String owner) {
        return services(AdminQueue.class).stream()
                .filter(reference -> owner.equals(reference.getProperty(AdminQueue.OWNER_ID)))
                .map(reference -> (Integer) reference.getProperty(AdminQueue.MEMBERS))
                .findFirst();
    }

    private List<DeviceDescription> devices() {
        return used(context.getServiceReference(MigrationService.class), MigrationService::devices).orElse(List.of());
    }

    private List<ConfigurationOutcome> outcomes() {
        return services(ConfigurationOutcome.class).stream()
                .flatMap(reference -> used(reference, outcome -> outcome).stream())
                .toList();
    }

    private <S> Collection<ServiceReference<S>> services(Class<S> type) {
        try {
            return context.getServiceReferences(type, null);
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Empty where there is no such service, or no longer. */
    private <S, T> Optional<T> used(ServiceReference<S> reference, Function<S, T> use) {
        S service = reference == null ? null : context.getService(reference);
        if (service == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(use.apply(service));
        } finally {
            context.ungetService(reference);
        }
    }
}
