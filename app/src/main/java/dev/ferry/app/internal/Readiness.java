// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
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

    /** One adapter and the devices it is to have. */
    record Adapter(String owner, int members) {

        private static final String HOST = "host";
        private static final String NAME = "name";
        private static final String MEMBERS = "members";

        /** The adapters among configurations; those that leave the number of members to its default need only one. */
        static List<Adapter> of(List<Configuration> configurations) {
            return configurations.stream()
                    .filter(configuration -> configuration.factoryPid().equals(Configuration.ADAPTER))
                    .map(Configuration::properties)
                    .map(properties -> new Adapter(
                            properties.get(HOST) + "/" + properties.get(NAME),
                            properties.get(MEMBERS) instanceof Number number ? number.intValue() : 1))
                    .toList();
        }
    }

    /** No event tells that the last listener was told, so this looks again. */
    private static final long LOOK_AGAIN_MILLIS = 2;

    private final BundleContext context;
    private final ServiceComponentRuntime components;
    private final List<Adapter> adapters;

    Readiness(BundleContext context, ServiceComponentRuntime components, List<Adapter> adapters) {
        this.context = context;
        this.components = components;
        this.adapters = List.copyOf(adapters);
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
        for (Adapter adapter : adapters) {
            long present = devices.stream()
                    .filter(device -> device.owner().equals(Optional.of(adapter.owner())))
                    .count();
            if (present < adapter.members()) {
                missing.add("%d of the %d devices of %s"
                        .formatted(adapter.members() - present, adapter.members(), adapter.owner()));
            }
        }
        long inactive = adapters.size() - activeAdapters();
        if (missing.isEmpty() && inactive > 0) {
            missing.add("%d of the %d configured adapters".formatted(inactive, adapters.size()));
        }
        return missing;
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
