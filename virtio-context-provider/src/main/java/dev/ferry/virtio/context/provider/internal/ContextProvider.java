// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.DriverRegistry;
import dev.ferry.virtio.driver.OwnerDrivers;
import dev.ferry.virtio.driver.OwnerWatch;
import dev.ferry.virtio.driver.VendorOpcodes;
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
 * Finds owner devices that speak the command set of the device context, and registers a migration driver per member.
 *
 * <p>Lives as long as the stream format: when the format leaves, this component ends, and with it every driver, while
 * format and queues still work.
 */
@Component(service = {}, configurationPid = ProviderConfiguration.PID, immediate = true)
@Designate(ocd = ProviderConfiguration.class)
public final class ContextProvider {
    private static final Logger LOG = LoggerFactory.getLogger(ContextProvider.class);
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(ProviderConfiguration.class);

    static final String FORMAT_NAME = "virtiovf";
    static final String DEVICE_TYPE = "virtio-net";
    static final String BACKEND = "virtio-context";

    /** Those that lack a property the provider of virtio-net warns of, once for all. */
    static final String OWNERS = "(&(" + AdminQueue.MEMBER_TYPE + "=" + DEVICE_TYPE + ")("
            + AdminQueue.OWNER_ID + "=*)(" + AdminQueue.HOST + "=*))";

    private final CommandTimeout timeout = new CommandTimeout(ProviderConfiguration.PID);
    private final VendorOpcodes vendorOpcodes = new VendorOpcodes(ProviderConfiguration.PID);
    private final OwnerWatch<ContextOwner> owners;

    /** Called by Declarative Services. */
    @Activate
    public ContextProvider(
            BundleContext context,
            @Reference(target = "(" + StreamFormat.NAME + "=" + FORMAT_NAME + ")") StreamFormat format,
            ProviderConfiguration configuration,
            Map<String, Object> properties) {
        this(format, DriverRegistry.of(context), OwnerWatch.SETUP_WAIT_MILLIS);
        modified(configuration, properties);
    }

    ContextProvider(StreamFormat format, DriverRegistry registry, long setupWaitMillis) {
        owners = new OwnerWatch<>(
                "ferry-virtio-context-setup-",
                new OwnerDrivers.Kind<>(
                        DEVICE_TYPE,
                        BACKEND,
                        FORMAT_NAME,
                        (id, owner, member) -> new ContextDriver(id, owner, member, format, timeout, System::nanoTime),
                        registry),
                (id, queue, channel, left) -> new ContextSetup(id, queue, channel, vendorOpcodes, left).run(),
                timeout,
                setupWaitMillis);
    }

    /** Takes a changed configuration; holds from the next command and the next set-up of an owner on. */
    @Modified
    void modified(ProviderConfiguration configuration, Map<String, Object> properties) {
        KEYS.tellUnknown(ProviderConfiguration.PID, properties.keySet(), LOG::warn);
        timeout.configure(configuration::command_timeout_millis);
        vendorOpcodes.configure(configuration::vendor_opcodes);
    }

    /** An owner device appeared; called by Declarative Services. */
    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            target = OWNERS)
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
