// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.DirtyTracker;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.memory.GuestCalls;
import dev.ferry.fsm.core.internal.memory.MemoryChoice;
import dev.ferry.fsm.core.internal.memory.Tracker;
import dev.ferry.fsm.core.internal.pace.Prediction;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says what a migration would do and cost, and changes nothing. Thread-safe. */
final class Planner {

    private static final Logger LOG = LoggerFactory.getLogger(Planner.class);

    private final DeviceRegistry registry;
    private final StepHistory history;
    private final Settings settings;

    Planner(DeviceRegistry registry, StepHistory history, Settings settings) {
        this.registry = registry;
        this.history = history;
        this.settings = settings;
    }

    /** The plan; what cannot be asked is left out of it. */
    MigrationPlan plan(MigrationRequest request) {
        List<MigrationPlan.Device> devices = new ArrayList<>();
        List<DowntimePlan.Load> loads = new ArrayList<>();
        List<Device> sources = new ArrayList<>();
        for (DevicePair pair : request.devices()) {
            Optional<Device> source = registry.find(pair.source());
            boolean early = request.preCopy()
                    && source.filter(device -> device.features().contains(MigrationFeature.PRE_COPY)).isPresent();
            OptionalLong stateBytes = source.map(Planner::stateBytes).orElse(OptionalLong.empty());
            source.ifPresent(sources::add);
            source.ifPresent(device -> loads.add(new DowntimePlan.Load(
                    new StepHistory.Kind(device.properties().type(), early), stateBytes, Map.of())));
            devices.add(new MigrationPlan.Device(pair, early, stateBytes, source.flatMap(Planner::tracker)));
        }
        MigrationPlan.Memory memory = memory(request, sources);
        DowntimePlan downtime = DowntimePlan.of(
                loads,
                new DowntimePlan.Guest(
                        memory.tracked() ? 0 : memory.bytes(),
                        Duration.ZERO,
                        new StepHistory.Beside(request.devices().size(), request.guests().isPresent())),
                settings.threadsOfMigration(),
                OptionalDouble.empty(),
                request.bandwidth(),
                history);
        List<Finding> findings = new Check(registry, StopSignal.withoutLimit()).allFindings(request);
        return new MigrationPlan(findings, devices, memory, planned(downtime, memory));
    }

    /** Where nothing is known of the devices, the memory alone may tell much, but their states alone would not. */
    private static Optional<Duration> planned(DowntimePlan downtime, MigrationPlan.Memory memory) {
        return memory.bytes() > 0 ? downtime.prediction().map(Prediction::downtime) : downtime.total();
    }

    /** Only of a device that nobody uses: drivers take one call at a time. */
    private static OptionalLong stateBytes(Device device) {
        try (Reservation reserved = device.reserveForQuestion()) {
            return OptionalLong.of(reserved.device().machine().stopCopySize());
        } catch (MigrationException e) {
            LOG.debug("The size of a state is not known: {}", e.failure().message(), e);
            return OptionalLong.empty();
        }
    }

    private static Optional<String> tracker(Device device) {
        try {
            Optional<DirtyTracker> tracker = device.machine().dirtyTracker();
            return tracker.isEmpty()
                    ? Optional.empty()
                    : Optional.of(Tracker.of(device.calls(), tracker.get()).capabilities().mechanism());
        } catch (MigrationException e) {
            LOG.debug("A dirty tracker is not known: {}", e.failure().message(), e);
            return Optional.empty();
        }
    }

    private MigrationPlan.Memory memory(MigrationRequest request, List<Device> sources) {
        if (request.guests().isEmpty()) {
            return new MigrationPlan.Memory(0, false, 0, 0, "No guest is named: device state alone is carried.");
        }
        try {
            GuestCalls guest = new GuestCalls("source", request.guests().get().source());
            MemoryChoice choice = MemoryChoice.of(guest, sources, request.preCopy(), settings.bitmapBytes());
            return new MigrationPlan.Memory(
                    choice.totalBytes(),
                    choice.isTracked(),
                    choice.pageBytes(),
                    choice.bitmapBytes(),
                    choice.explanation());
        } catch (MigrationException e) {
            return new MigrationPlan.Memory(0, false, 0, 0, e.failure().message());
        }
    }
}
