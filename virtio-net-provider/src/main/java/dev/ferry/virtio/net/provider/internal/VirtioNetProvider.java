// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.device.MigrationDriver;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.DriverRegistry;
import dev.ferry.virtio.driver.OwnerDrivers;
import dev.ferry.virtio.driver.OwnerWatch;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.Map;
import org.osgi.framework.BundleContext;
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
 * format and queues still work.
 */
@Component(service = {}, configurationPid = ProviderConfiguration.PID, immediate = true)
@Designate(ocd = ProviderConfiguration.class)
public final class VirtioNetProvider {
    private static final Logger LOG = LoggerFactory.getLogger(VirtioNetProvider.class);
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(ProviderConfiguration.class);

    static final String FORMAT_NAME = "virtiovf";
    static final String DEVICE_TYPE = "virtio-net";
    static final String BACKEND = "virtio";

    private final ProviderSettings settings = new ProviderSettings();
    private final OwnerWatch<OwnerDevice> owners;

    /** Called by Declarative Services. */
    @Activate
    public VirtioNetProvider(
            BundleContext context,
            @Reference(target = "(" + StreamFormat.NAME + "=" + FORMAT_NAME + ")") StreamFormat format,
            ProviderConfiguration configuration,
            Map<String, Object> properties) {
        this(format, DriverRegistry.of(context), OwnerWatch.SETUP_WAIT_MILLIS);
        modified(configuration, properties);
    }

    VirtioNetProvider(StreamFormat format, DriverRegistry registry, long setupWaitMillis) {
        owners = new OwnerWatch<>(
                "ferry-virtio-net-setup-",
                new OwnerDrivers.Kind<>(
                        DEVICE_TYPE,
                        BACKEND,
                        FORMAT_NAME,
                        new Drivers(format, settings.timeout()),
                        registry),
                (id, queue, channel, left) -> new OwnerSetup(id, queue, channel, settings, left).run(),
                settings.timeout(),
                setupWaitMillis);
    }

    /** Makes the drivers of the members of one owner. */
    private record Drivers(StreamFormat format, CommandTimeout timeout) implements OwnerDrivers.Factory<OwnerDevice> {
        @Override
        public VirtioNetDriver create(String deviceId, OwnerDevice owner, int member) {
            return new VirtioNetDriver(deviceId, owner, member, format, timeout, System::nanoTime);
        }

        @Override
        public Map<String, Object> properties(OwnerDevice owner) {
            return Map.of(MigrationDriver.OWNER_SESSIONS, owner.ids().limit());
        }
    }

    /** What is configured; for tests, too. */
    ProviderSettings settings() {
        return settings;
    }

    /** Takes a changed configuration; holds from the next command and the next set-up of an owner on. */
    @Modified
    void modified(ProviderConfiguration configuration, Map<String, Object> properties) {
        KEYS.tellUnknown(ProviderConfiguration.PID, properties.keySet(), LOG::warn);
        settings.configure(configuration);
    }

    /**
     * An owner device appeared; called by Declarative Services. Of whatever type, so that somebody tells of those whose
     * type is missing; other users of admin queues see those of theirs alone.
     */
    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        owners.add(queue, properties);
    }

    /** Properties changed, as the number of members; called by Declarative Services. */
    void updatedAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        owners.update(queue, properties);
    }

    /** An owner device leaves; called by Declarative Services while the queue still works. */
    void removeAdminQueue(AdminQueue queue, Map<String, Object> properties) {
        owners.remove(properties);
    }

    /** Unregisters every driver while format and queues still work; called by Declarative Services. */
    @Deactivate
    void deactivate() {
        owners.close();
    }
}
