// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.fsm.core.internal.migration.Check;
import dev.ferry.fsm.core.internal.migration.Jobs;
import dev.ferry.fsm.core.internal.migration.Operations;
import dev.ferry.fsm.core.internal.migration.Settings;
import dev.ferry.fsm.core.internal.table.FeatureTransitionTable;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationService;
import dev.ferry.migration.StateChange;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.event.EventAdmin;
import org.osgi.service.metatype.annotations.Designate;

/**
 * The migration service. Immediate, as one that is made on demand would be thrown away, with its migrations, as soon as
 * its last user is done. Thread-safe.
 */
@Component(
        name = "dev.ferry.fsm.core.migrations",
        service = MigrationService.class,
        immediate = true,
        configurationPid = Configuration.PID)
@Designate(ocd = Configuration.class)
public final class MigrationServiceComponent implements MigrationService {

    private static final String SERVICE_ID = "service.id";

    private final DeviceRegistry registry = new DeviceRegistry(new FeatureTransitionTable());
    private final ConfiguredSettings configured = new ConfiguredSettings();
    private final Jobs jobs;
    private final Operations operations;
    private volatile Settings settings;

    /** When nobody waits any more, by {@link System#nanoTime}; empty until the service stops. */
    private volatile OptionalLong end = OptionalLong.empty();

    /** Null while there is none. */
    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile EventAdmin eventAdmin;

    /** Starts without devices. */
    @Activate
    public MigrationServiceComponent(Configuration configuration, Map<String, Object> properties) {
        this(configuration, TimeSource.SYSTEM);
        ConfiguredSettings.tellUnknown(properties);
    }

    MigrationServiceComponent(Configuration configuration, TimeSource clock) {
        settings = configured.update(configuration);
        jobs = new Jobs(settings, clock);
        operations = new Operations(registry, jobs);
    }

    /** Takes a changed configuration for jobs that start from now on; those under way keep theirs. */
    @Modified
    void changed(Configuration configuration, Map<String, Object> properties) {
        ConfiguredSettings.tellUnknown(properties);
        modified(configuration);
    }

    void modified(Configuration configuration) {
        settings = configured.update(configuration);
        jobs.update(settings);
    }

    /** Cancels what is under way and waits for it, within the drain timeout; then the drivers leave. */
    @Deactivate
    void deactivate() {
        Duration bound = settings.drainTimeout();
        end = OptionalLong.of(System.nanoTime() + bound.toNanos());
        jobs.stop(bound);
    }

    /** A driver came. */
    @Reference(
            name = "driver",
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addDriver(MigrationDriver driver, Map<String, Object> properties) {
        registry.add((Long) properties.get(SERVICE_ID), driver, properties);
    }

    /**
     * A driver leaves. Waits within the drain timeout for the job that uses it and for its calls under way; the calls
     * that put its device in order come on top.
     */
    void removeDriver(MigrationDriver driver, Map<String, Object> properties) {
        registry.remove((Long) properties.get(SERVICE_ID), drainTime());
    }

    /** All drivers together have what the jobs left of one drain timeout when the service stopped. */
    private Duration drainTime() {
        OptionalLong common = end;
        return common.isPresent()
                ? Duration.ofNanos(Math.max(0, common.getAsLong() - System.nanoTime()))
                : settings.drainTimeout();
    }

    @Override
    public List<DeviceDescription> devices() {
        return registry.all().stream().map(Device::describe).toList();
    }

    @Override
    public Optional<DeviceDescription> device(String id) {
        return registry.find(id).map(Device::describe);
    }

    @Override
    public StateChange setState(String id, DeviceState state) throws MigrationException {
        return operations.setState(id, state);
    }

    @Override
    public StateChange reset(String id) throws MigrationException {
        return operations.reset(id);
    }

    @Override
    public List<Finding> check(MigrationRequest request) {
        return new Check(registry, StopSignal.withoutLimit()).allFindings(request);
    }

    @Override
    public MigrationPlan plan(MigrationRequest request) {
        return operations.plan(request, settings);
    }

    @Override
    public Migration start(MigrationRequest request, MigrationListener listener) {
        return operations.start(request, new EventDelivery(listener, () -> eventAdmin), settings);
    }

    @Override
    public List<Migration> migrations() {
        return jobs.migrations();
    }

    @Override
    public boolean cancel(String migration) {
        return jobs.cancel(migration);
    }

    @Override
    public Optional<MigrationReport> report(String migration) {
        return jobs.report(migration);
    }

    @Override
    public List<MigrationReport> reports() {
        return jobs.reports();
    }

    @Override
    public long save(String id, WritableByteChannel to) throws MigrationException {
        return operations.save(id, to, settings);
    }

    @Override
    public long restore(String id, ReadableByteChannel from) throws MigrationException {
        return operations.restore(id, from, settings);
    }
}
