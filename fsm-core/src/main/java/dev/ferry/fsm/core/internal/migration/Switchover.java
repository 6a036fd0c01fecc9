// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * From the pause of the guest to COMMIT. Devices stop in two passes, all quiesced before any stops; then they save and
 * load at the same time as the rest of the memory goes. Confined to the thread of the migration.
 */
final class Switchover {

    private final Ends ends;
    private final Optional<CarriedMemory> memory;
    private final Kit kit;
    private final Timeline timeline;
    private final Map<DeviceEnds, ByteBuffer> configurations = new HashMap<>();

    private Slowest slowest = new Slowest(Duration.ZERO, Duration.ZERO);

    /** How long the guest needed to save the configurations; written by one piece of work, read after its end. */
    private Duration configuring = Duration.ZERO;

    Switchover(Ends ends, Optional<CarriedMemory> memory, Kit kit) {
        this.ends = ends;
        this.memory = memory;
        this.kit = kit;
        this.timeline = kit.timeline();
    }

    /** The piece of carrying that ended last: how long a device was saving, and one took in what was written to it. */
    private record Slowest(Duration saving, Duration loading) {
        static Slowest of(DeviceEnds device) {
            return new Slowest(device.times().of(Step.SAVE), device.times().of(Step.TRANSFER));
        }
    }

    /** Goes the way; when this returns, the destination owns the devices. */
    void run(PreCopy preCopy, SwitchoverDecision decision) throws MigrationException {
        stop(preCopy, decision.plan());
        carry(decision);
        load();
        makeReady();
        commit();
    }

    private void stop(PreCopy preCopy, DowntimePlan plan) throws MigrationException {
        timeline.enter(MigrationPhase.SWITCHOVER);
        kit.signal().check();
        ends.touchSources();
        for (DeviceEnds device : ends.devices()) {
            device.gauge().stop();
            device.plan(kit.history());
        }
        timeline.board().memory().stop();
        timeline.downtime().begin(plan.planned(), plan.loading());
        ends.pauseGuest();
        preCopy.requireAcknowledged();
        quiesce();
        List<DeviceEnds> late =
                ends.devices().stream().filter(device -> !device.isSavingEarly()).toList();
        kit.passes().go(Passes.Move.sources(late, DeviceState.STOP), Step.STOP);
        timeline.downtime().endStep(Step.STOP);
    }

    /** The first pass: no device starts anything that reaches another one. */
    private void quiesce() throws MigrationException {
        List<Passes.Move> able = ends.devices().stream()
                .filter(device -> device.has(MigrationFeature.P2P))
                .map(device -> new Passes.Move(device.source(), quiesced(device), device.times()))
                .toList();
        kit.passes().go(able, Step.STOP);
    }

    private static DeviceState quiesced(DeviceEnds device) {
        return device.isSavingEarly() ? DeviceState.PRE_COPY_P2P : DeviceState.RUNNING_P2P;
    }

    private void carry(SwitchoverDecision decision) throws MigrationException {
        kit.passes().go(Passes.Move.sources(ends.devices(), DeviceState.STOP_COPY), Step.SAVE);
        Duration stopped = ends.devices().stream()
                .map(device -> device.times().of(Step.SAVE))
                .max(Duration::compareTo)
                .orElse(Duration.ZERO);
        // The last writer has stopped only now.
        if (memory.isPresent() && memory.get().isTracking() && !memory.get().lookLast()) {
            decision.recordLost();
        }
        List<Crew.Piece> pieces = new ArrayList<>();
        // One piece, as a guest takes one call at a time.
        memory.ifPresent(carried -> pieces.add(gate -> carry(carried, stopped, gate)));
        ends.devices().forEach(device -> pieces.add(gate -> carry(device, gate)));
        try {
            kit.crew().run(pieces);
        } finally {
            timeline.downtime().endCarrying(slowest.saving(), slowest.loading(), configuring);
        }
        timeline.tellProgress();
    }

    private void carry(CarriedMemory carried, Duration stopped, Gate gate) throws MigrationException {
        try {
            long begin = kit.clock().nanos();
            saveConfigurations();
            configuring = Duration.ofNanos(kit.clock().nanos() - begin);
            carried.rest(gate);
        } finally {
            ended(new Slowest(stopped, Duration.ZERO));
        }
    }

    private void carry(DeviceEnds device, Gate gate) throws MigrationException {
        try {
            ByteBuffer buffer = kit.buffers().take(kit.settings().chunkBytes());
            Pump pump = new Pump(buffer, gate, kit.pace(), bytes -> count(device.gauge(), bytes));
            pump.toEnd(
                    device.times().saving(SessionBytes.stopped(device.source())),
                    device.times().transferring(device.loading()));
            device.gauge().setRemaining(0);
            kit.buffers().give(buffer);
        } finally {
            ended(Slowest.of(device));
        }
    }

    private void count(Gauge gauge, long bytes) {
        gauge.carry(bytes);
        kit.signal().progress();
    }

    private synchronized void ended(Slowest piece) {
        slowest = piece;
    }

    private void saveConfigurations() throws MigrationException {
        for (DeviceEnds device : ends.devices()) {
            String id = device.source().id();
            configurations.put(device, ends.sourceGuest().orElseThrow().saveDeviceConfig(id));
        }
    }

    private void load() throws MigrationException {
        timeline.enter(MigrationPhase.LOAD);
        kit.signal().check();
        if (ends.destinationGuest().isPresent()) {
            for (DeviceEnds device : ends.devices()) {
                String id = device.destination().id();
                ends.destinationGuest().get().loadDeviceConfig(id, configurations.get(device));
            }
        }
        kit.passes().go(Passes.Move.destinations(ends.devices(), DeviceState.STOP), Step.LOAD);
        timeline.downtime().endStep(Step.LOAD);
    }

    private void makeReady() throws MigrationException {
        timeline.enter(MigrationPhase.READY);
        List<DeviceEnds> able = ends.devices().stream()
                .filter(device -> device.destination().features().contains(MigrationFeature.P2P))
                .toList();
        if (!able.isEmpty()) {
            ends.letDestinationsAct();
            kit.passes().go(Passes.Move.destinations(able, DeviceState.RUNNING_P2P), Step.START);
        }
    }

    private void commit() throws MigrationException {
        timeline.enter(MigrationPhase.COMMIT);
        for (DeviceEnds device : ends.devices()) {
            device.source().machine().requireUnmoved();
            device.destination().machine().requireUnmoved();
        }
        kit.signal().close();
        ends.devices().forEach(DeviceEnds::handOver);
    }
}
