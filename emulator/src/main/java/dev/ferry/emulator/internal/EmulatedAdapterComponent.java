// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import dev.ferry.configuration.ConfigurationKeys;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.emulator.internal.owner.AdapterSettings;
import dev.ferry.emulator.internal.owner.CommandSet;
import dev.ferry.emulator.internal.owner.Latency;
import dev.ferry.emulator.internal.owner.OwnerDevice;
import dev.ferry.emulator.internal.owner.VirtioNetMembers;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionAccess;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.VirtioFeature;
import java.util.Dictionary;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One emulated adapter per configuration, published as one service.
 *
 * <p>The service is registered by hand, not by Declarative Services: its properties are computed ({@code
 * ferry.owner.id}), change while it lives ({@code ferry.owner.members}), and it is absent while its configuration is
 * wrong. Called by the service component runtime, one thread at a time.
 */
@Component(
        name = EmulatedAdapterComponent.PID,
        service = {},
        configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = AdapterConfiguration.class, factory = true)
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"dev.ferry.virtio.AdminQueue,dev.ferry.virtio.FunctionReset,"
                + "dev.ferry.virtio.FunctionAccess,"
                + "dev.ferry.virtio.FunctionDirtyTracking,"
                + "dev.ferry.emulator.control.EmulatedAdapter\"")
public final class EmulatedAdapterComponent {

    /** Factory PID of the configurations. */
    public static final String PID = "dev.ferry.emulator.adapter";

    private static final Logger LOG = LoggerFactory.getLogger(EmulatedAdapterComponent.class);
    private static final ConfigurationKeys KEYS = ConfigurationKeys.of(AdapterConfiguration.class);
    private static final Logger REFUSALS = LoggerFactory.getLogger(ConfigurationOutcome.class);
    private static final String[] SERVICES = {
        AdminQueue.class.getName(),
        FunctionReset.class.getName(),
        FunctionAccess.class.getName(),
        FunctionDirtyTracking.class.getName(),
        EmulatedAdapter.class.getName()
    };

    /** An adapter that others can see. */
    private record Published(
            AdapterSettings settings,
            OwnerDevice owner,
            ServiceRegistration<?> registration,
            MembersAnnouncement announcement) {

        Published with(AdapterSettings newSettings) {
            return new Published(newSettings, owner, registration, announcement);
        }
    }

    private final BundleContext context;
    private final OwnerIds ownerIds;
    /** Empty while there has been no valid configuration. */
    private Optional<Published> published = Optional.empty();
    private Optional<ServiceRegistration<?>> outcome = Optional.empty();

    /** Creates the adapter, or says once in the log why not and waits for a better configuration. */
    @Activate
    public EmulatedAdapterComponent(
            BundleContext context,
            @Reference OwnerIds ownerIds,
            AdapterConfiguration configuration,
            Map<String, Object> properties) {
        this.context = context;
        this.ownerIds = ownerIds;
        modified(configuration, properties);
    }

    /**
     * Changes the adapter: another number of members leaves the others alone; any other change makes a new adapter.
     * What is not valid changes nothing.
     */
    @Modified
    void modified(AdapterConfiguration configuration, Map<String, Object> properties) {
        KEYS.tellUnknown(pid(properties), properties.keySet(), LOG::warn);
        AdapterSettings settings;
        try {
            settings = settings(configuration);
            takeIdOf(settings);
        } catch (IllegalArgumentException e) {
            REFUSALS.error(
                    "The configuration {} of an emulated adapter is not valid, {}: {}.",
                    pid(properties),
                    published.isPresent() ? "so the adapter stays as it was" : "so there is no such adapter",
                    e.getMessage());
            answer(properties, Optional.of(e.getMessage()));
            return;
        }
        change(settings);
        answer(properties, Optional.empty());
    }

    /** Whoever waits for the adapter learns why it will not come. */
    private void answer(Map<String, Object> properties, Optional<String> refusal) {
        outcome.ifPresent(ServiceRegistration::unregister);
        outcome = Optional.of(context.registerService(
                ConfigurationOutcome.class, new ConfigurationOutcome(pid(properties), refusal), null));
    }

    private static String pid(Map<String, Object> properties) {
        return String.valueOf(properties.get(Constants.SERVICE_PID));
    }

    /** Deletes the adapter. */
    @Deactivate
    void delete() {
        published.ifPresent(adapter -> {
            withdraw(adapter);
            ownerIds.release(adapter.settings().ownerId());
        });
        published = Optional.empty();
        outcome.ifPresent(ServiceRegistration::unregister);
        outcome = Optional.empty();
    }

    private void takeIdOf(AdapterSettings settings) {
        if (!hasIdOf(settings) && !ownerIds.take(settings.ownerId())) {
            throw new IllegalArgumentException(
                    "another configuration has the adapter '%s' already, so change host or name in one of them"
                            .formatted(settings.ownerId()));
        }
    }

    private boolean hasIdOf(AdapterSettings settings) {
        return published.isPresent() && published.get().settings().ownerId().equals(settings.ownerId());
    }

    private void change(AdapterSettings settings) {
        if (published.isPresent()) {
            Published before = published.get();
            if (settings.withMembers(0).equals(before.settings().withMembers(0))) {
                // The driver of the owner device may have changed the number, and is not to be disturbed for nothing.
                if (settings.members() != before.settings().members()) {
                    resize(before, settings);
                }
                return;
            }
            withdraw(before);
            if (!hasIdOf(settings)) {
                ownerIds.release(before.settings().ownerId());
            }
        }
        publish(settings);
    }

    private void publish(AdapterSettings settings) {
        OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
        ServiceRegistration<?> registration =
                context.registerService(SERVICES, owner, serviceProperties(settings, owner.members()));
        MembersAnnouncement announcement = new MembersAnnouncement(() -> tellMembers(settings, owner, registration));
        owner.onMembersChanged(announcement::announce);
        published = Optional.of(new Published(settings, owner, registration, announcement));
        announceUnless(settings.members(), published.get());
        LOG.info("The emulated adapter {} is there, with {} members.", settings.ownerId(), settings.members());
    }

    /** First the service goes, so that its users can end their work, then the device. */
    private static void withdraw(Published adapter) {
        adapter.registration().unregister();
        adapter.owner().close();
        LOG.info("The emulated adapter {} is gone.", adapter.settings().ownerId());
    }

    /** Members appear before they are announced, and are announced to leave before they do. */
    private void resize(Published before, AdapterSettings settings) {
        OwnerDevice owner = before.owner();
        if (settings.members() > owner.members()) {
            owner.resize(settings.members());
        }
        before.registration().setProperties(serviceProperties(settings, settings.members()));
        owner.resize(settings.members());
        published = Optional.of(before.with(settings));
        announceUnless(settings.members(), before);
        LOG.info("The emulated adapter {} has {} members now.", settings.ownerId(), settings.members());
    }

    /** The driver of the owner device enables and disables VFs too, at any moment. */
    private static void announceUnless(int told, Published adapter) {
        if (adapter.owner().members() != told) {
            adapter.announcement().announce();
        }
    }

    private static void tellMembers(AdapterSettings settings, OwnerDevice owner, ServiceRegistration<?> registration) {
        int members = owner.members();
        try {
            registration.setProperties(serviceProperties(settings, members));
            LOG.info("The driver of the emulated adapter {} has enabled {} members.", settings.ownerId(), members);
        } catch (IllegalStateException e) {
            LOG.debug("The emulated adapter {} is gone before its members could be told.", settings.ownerId(), e);
        }
    }

    private static Dictionary<String, Object> serviceProperties(AdapterSettings settings, int members) {
        return FrameworkUtil.asDictionary(Map.of(
                AdminQueue.OWNER_ID, settings.ownerId(),
                AdminQueue.HOST, settings.host(),
                AdminQueue.MEMBERS, members,
                AdminQueue.MEMBER_TYPE, VirtioNetMembers.TYPE));
    }

    private static AdapterSettings settings(AdapterConfiguration configuration) {
        return new AdapterSettings(
                value("host", configuration::host),
                value("name", configuration::name),
                value("members", configuration::members),
                value("queue.pairs", configuration::queue_pairs),
                value("queue.size", configuration::queue_size),
                value("strict", configuration::strict),
                value("object.limit", configuration::object_limit),
                value("features.off", () -> mask(configuration.features_off())),
                CommandSet.ofKey(value("commands", configuration::commands)),
                value("legacy", configuration::legacy),
                value("dirty.tracking", configuration::dirty_tracking),
                Latency.parse(value("latency", configuration::latency)),
                value("admin.queues", configuration::admin_queues));
    }

    private static long mask(String[] features) {
        long mask = 0;
        for (String feature : features) {
            mask |= feature(feature.strip()).mask();
        }
        return mask;
    }

    private static VirtioFeature feature(String name) {
        for (VirtioFeature feature : VirtioFeature.values()) {
            if (feature.name().equals(name)) {
                return feature;
            }
        }
        throw new IllegalArgumentException("there is no feature '" + name + "'; names are such as NET_CTRL_VLAN");
    }

    /** The component property type converts a value only when it is asked for it, and throws what it likes. */
    private static <T> T value(String key, Supplier<T> getter) {
        try {
            return getter.get();
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(key + " cannot be used: " + e.getMessage(), e);
        }
    }
}
