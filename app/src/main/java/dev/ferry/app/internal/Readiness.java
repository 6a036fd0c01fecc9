// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import dev.ferry.virtio.AdminQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;

/**
 * Waits until the devices of configured adapters are there for everybody: their components are active, so whoever listens
 * for their services was told, and the migration service knows a device per member. And until each VFIO device that is
 * configured was looked at: it is there as a device, or with the reason why it is none.
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
    private final ServiceComponentRuntime components;
    private final List<String> owners;
    private final List<String> vfioDevices;

    /**
     * What to wait for.
     *
     * @param owners ids of owner devices, each with as many members as it says that it has
     * @param vfioDevices addresses and UUIDs of VFIO devices
     */
    Readiness(
            BundleContext context, ServiceComponentRuntime components, List<String> owners, List<String> vfioDevices) {
        this.context = context;
        this.components = components;
        this.owners = List.copyOf(owners);
        this.vfioDevices = List.copyOf(vfioDevices);
    }

    /** Names of the VFIO devices among configurations, spelt as the backend spells them in ids. */
    static List<String> vfioDevices(List<Configuration> configurations) {
        return configurations.stream()
                .filter(configuration -> configuration.factoryPid().equals(Configuration.VFIO_BACKEND))
                .map(configuration -> configuration.properties().get(DEVICES))
                .flatMap(value -> value instanceof List<?> list ? list.stream() : Stream.ofNullable(value))
                .map(name -> name.toString().strip().toLowerCase(Locale.ROOT))
                .toList();
    }

    /**
     * Waits, at most as long as allowed, and no longer once an adapter was {@link #refused}.
     *
     * @return what is still missing, a clause for each adapter; empty when all is there
     */
    List<String> await(Duration allowed) throws InterruptedException {
        long deadline = System.nanoTime() + allowed.toNanos();
        List<String> missing = missing();
        while (!missing.isEmpty() && refused().isEmpty() && deadline - System.nanoTime() > 0) {
            TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN_MILLIS);
            missing = missing();
        }
        return missing;
    }

    /**
     * Owner ids of adapters that will not come: the component has seen the configuration, published nothing, and said
     * in the log why.
     */
    List<String> refused() {
        // In this order: a component is active only after it has published its adapter.
        List<String> active = activeAdapters();
        return owners.stream()
                .filter(owner -> active.contains(owner) && membersOf(owner).isEmpty())
                .toList();
    }

    private List<String> missing() {
        List<DeviceDescription> devices = devices();
        List<String> missing = new ArrayList<>();
        for (String owner : owners) {
            Optional<Integer> members = membersOf(owner);
            long present = devices.stream()
                    .filter(device -> device.owner().equals(Optional.of(owner)))
                    .count();
            if (members.isEmpty()) {
                missing.add("the owner device " + owner);
            } else if (present < members.get()) {
                missing.add("%d of the %d devices of %s".formatted(members.get() - present, members.get(), owner));
            }
        }
        long inactive = owners.size() - activeAdapters().size();
        if (missing.isEmpty() && inactive > 0) {
            missing.add("%d of the %d configured adapters".formatted(inactive, owners.size()));
        }
        for (String name : vfioDevices) {
            if (devices.stream().noneMatch(device -> device.id().endsWith("/" + name)) || !isLookedAt(name)) {
                missing.add("the VFIO device " + name);
            }
        }
        return missing;
    }

    /** Before the configuration has reached the backend, the device is there as one that is not configured. */
    private boolean isLookedAt(String name) {
        try {
            return context.getServiceReferences(MigrationDriver.class, null).stream()
                    .anyMatch(reference -> Boolean.TRUE.equals(reference.getProperty(CONFIGURED))
                            && reference.getProperty(MigrationDriver.DEVICE_ID).toString().endsWith("/" + name));
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private Optional<Integer> membersOf(String owner) {
        try {
            return context.getServiceReferences(AdminQueue.class, null).stream()
                    .filter(reference -> owner.equals(reference.getProperty(AdminQueue.OWNER_ID)))
                    .map(reference -> (Integer) reference.getProperty(AdminQueue.MEMBERS))
                    .findFirst();
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<DeviceDescription> devices() {
        ServiceReference<MigrationService> reference = context.getServiceReference(MigrationService.class);
        MigrationService service = reference == null ? null : context.getService(reference);
        if (service == null) {
            return List.of();
        }
        try {
            return service.devices();
        } finally {
            context.ungetService(reference);
        }
    }

    private List<String> activeAdapters() {
        return components.getComponentDescriptionDTOs().stream()
                .filter(description -> List.of(description.configurationPid).contains(Configuration.ADAPTER))
                .flatMap(description -> components.getComponentConfigurationDTOs(description).stream())
                .filter(configuration -> configuration.state == ComponentConfigurationDTO.ACTIVE)
                .map(configuration -> Adapters.ownerId(configuration.properties))
                .toList();
    }
}
