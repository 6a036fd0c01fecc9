// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.StateChange;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Makes and runs the jobs that {@link dev.ferry.migration.MigrationService} offers. Thread-safe. */
public final class Operations {

    private final DeviceRegistry registry;
    private final Jobs jobs;

    /** Works on the devices of a registry. */
    public Operations(DeviceRegistry registry, Jobs jobs) {
        this.registry = registry;
        this.jobs = jobs;
    }

    /** As the service. */
    public StateChange setState(String id, DeviceState state) throws MigrationException {
        return jobs.perform(signal -> new StateOperation(registry.require(id), signal).run(state));
    }

    /** As the service. */
    public StateChange reset(String id) throws MigrationException {
        return jobs.perform(signal -> new ResetOperation(registry.require(id), signal).run());
    }

    /** As the service. */
    public long save(String id, WritableByteChannel to, Settings settings) throws MigrationException {
        return jobs.perform(signal ->
                new SaveOperation(registry.require(id), signal, settings.chunkBytes()).run(ChannelBytes.to(to)));
    }

    /** As the service. */
    public long restore(String id, ReadableByteChannel from, Settings settings) throws MigrationException {
        return jobs.perform(signal ->
                new RestoreOperation(registry.require(id), signal, settings).run(ChannelBytes.from(from)));
    }

    /** As the service. */
    public MigrationPlan plan(MigrationRequest request, Settings settings) {
        return new Planner(registry, jobs.history(), settings).plan(request);
    }

    /** As the service. */
    public Migration start(MigrationRequest request, MigrationListener listener, Settings settings) {
        return jobs.start(
                id -> new MigrationJob(id, request, listener, registry, settings, jobs),
                hosts(request, DevicePair::source),
                hosts(request, DevicePair::destination));
    }

    private Set<String> hosts(MigrationRequest request, Function<DevicePair, String> end) {
        return request.devices().stream()
                .flatMap(pair -> registry.find(end.apply(pair)).stream())
                .map(device -> device.properties().host())
                .collect(Collectors.toSet());
    }
}
