// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import dev.ferry.virtio.AdminQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;

/**
 * Waits until the devices of configured adapters are there for everybody: their components are active, so whoever listens
 * for their services was told, and the migration service knows a device per member.
 *
 * <p>That a service is registered is not enough: its listeners are told one after the other, this one perhaps first.
 */
final class Readiness {

    private static final String HOST = "host";
    private static final String NAME = "name";

    /** No event tells that the last listener was told, so this looks again. */
    private static final long LOOK_AGAIN_MILLIS = 2;

    private final BundleContext context;
    private final ServiceComponentRuntime components;
    private final List<String> owners;

    /** What to wait for: the owner devices of these ids, and as many members as each says that it has. */
    Readiness(BundleContext context, ServiceComponentRuntime components, List<String> owners) {
        this.context = context;
        this.components = components;
        this.owners = List.copyOf(owners);
    }

    /** Ids of the owner devices of the adapters among configurations. */
    static List<String> owners(List<Configuration> configurations) {
        return configurations.stream()
                .filter(configuration -> configuration.factoryPid().equals(Configuration.ADAPTER))
                .map(Configuration::properties)
                .map(properties -> properties.get(HOST) + "/" + properties.get(NAME))
                .toList();
    }

    /**
     * Waits, at most as long as allowed.
     *
     * @return what is still missing, a clause for each adapter; empty when all is there
     */
    List<String> await(Duration allowed) throws InterruptedException {
        long deadline = System.nanoTime() + allowed.toNanos();
        List<String> missing = missing();
        while (!missing.isEmpty() && deadline - System.nanoTime() > 0) {
            TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN_MILLIS);
            missing = missing();
        }
        return missing;
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
        long inactive = owners.size() - activeAdapters();
        if (missing.isEmpty() && inactive > 0) {
            missing.add("%d of the %d configured adapters".formatted(inactive, owners.size()));
        }
        return missing;
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

    private long activeAdapters() {
        return components.getComponentDescriptionDTOs().stream()
                .filter(description -> List.of(description.configurationPid).contains(Configuration.ADAPTER))
                .flatMap(description -> components.getComponentConfigurationDTOs(description).stream())
                .filter(configuration -> configuration.state == ComponentConfigurationDTO.ACTIVE)
                .count();
    }
}
