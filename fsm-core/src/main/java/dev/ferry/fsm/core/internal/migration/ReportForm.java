// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceRegistry;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.Failure;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the report of one migration is made of. Confined to its thread. */
final class ReportForm {

    private final String id;
    private final Kit kit;
    private final DeviceRegistry registry;
    private Optional<ForwardSteps> forward = Optional.empty();
    private List<MigrationReport.Device> devices = List.of();
    private List<Finding> findings = List.of();

    ReportForm(String id, Kit kit, DeviceRegistry registry) {
        this.id = id;
        this.kit = kit;
        this.registry = registry;
    }

    /** The report of a migration that broke off without one of its own: nothing is known of its devices. */
    static MigrationReport broken(String id, MigrationRequest request, Failure failure) {
        List<MigrationReport.Device> devices = request.devices().stream()
                .map(pair -> new MigrationReport.Device(
                        pair.source(), pair.destination(), Optional.empty(), Optional.empty(), 0, 0, List.of()))
                .toList();
        return new MigrationReport(
                id,
                MigrationReport.Result.FAILED,
                request.dryRun(),
                Instant.now(),
                Duration.ZERO,
                Duration.ZERO,
                List.of(),
                List.of(),
                devices,
                MigrationReport.Memory.NONE,
                List.of(),
                0,
                List.of(),
                Optional.of(failure));
    }

    /** Something stands against the migration, or nothing does. */
    void found(List<Finding> found) {
        findings = found;
    }

    /** The devices are about to move. */
    void follow(ForwardSteps steps) {
        forward = Optional.of(steps);
    }

    /** The devices have come to rest; asks for their states. */
    void lookAt(Ends ends) {
        List<MigrationReport.Device> seen = new ArrayList<>();
        for (DeviceEnds device : ends.devices()) {
            seen.add(new MigrationReport.Device(
                    device.source().id(),
                    device.destination().id(),
                    device.source().state(),
                    device.destination().state(),
                    device.gauge().preCopyBytes(),
                    device.gauge().switchoverBytes(),
                    stepsOf(device)));
        }
        devices = seen;
    }

    private List<DowntimeStep> stepsOf(DeviceEnds device) {
        return kit.timeline().downtime().steps().isEmpty()
                ? List.of()
                : device.steps();
    }

    /** The report. */
    MigrationReport fill(MigrationReport.Result result, Optional<Failure> failure) {
        Timeline timeline = kit.timeline();
        return new MigrationReport(
                id,
                result,
                kit.request().dryRun(),
                timeline.started(),
                timeline.total(),
                timeline.downtime().total(),
                timeline.downtime().steps(),
                timeline.phases(),
                devices.isEmpty() ? untouched() : devices,
                memory(),
                timeline.decisions(),
                kit.buffers().allocatedBytes()
                        + carried().map(CarriedMemory::bitmapBytes).orElse(0L),
                findings,
                failure);
    }

    private Optional<CarriedMemory> carried() {
        return forward.flatMap(ForwardSteps::memory);
    }

    private MigrationReport.Memory memory() {
        ProgressBoard board = kit.timeline().board();
        return carried()
                .map(memory -> new MigrationReport.Memory(
                        memory.totalBytes(),
                        board.memory().preCopyBytes(),
                        board.memory().switchoverBytes(),
                        memory.isTracking() ? board.round() : 0))
                .orElse(MigrationReport.Memory.NONE);
    }

    private List<MigrationReport.Device> untouched() {
        List<MigrationReport.Device> seen = new ArrayList<>();
        for (DevicePair pair : kit.request().devices()) {
            seen.add(new MigrationReport.Device(
                    pair.source(),
                    pair.destination(),
                    stateOf(pair.source()),
                    stateOf(pair.destination()),
                    0,
                    0,
                    List.of()));
        }
        return seen;
    }

    private Optional<DeviceState> stateOf(String device) {
        return registry.find(device).flatMap(Device::state);
    }
}
