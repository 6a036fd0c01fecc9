// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The way of a migration from SETUP to COMMIT. Any failure leaves both ends where they are, for {@link Rollback}.
 * Confined to the thread of the migration.
 */
final class ForwardSteps {

    private final Ends ends;
    private final Kit kit;
    private Optional<CarriedMemory> memory = Optional.empty();

    ForwardSteps(Ends ends, Kit kit) {
        this.ends = ends;
        this.kit = kit;
    }

    /** The guest's memory; empty without a guest and before it was looked at. */
    Optional<CarriedMemory> memory() {
        return memory;
    }

    /** Goes the whole way; when this returns, the destination owns the devices, but for a dry run. */
    void run() throws MigrationException {
        setUp();
        SwitchoverDecision decision = new SwitchoverDecision(ends, memory, kit);
        PreCopy preCopy = new PreCopy(ends, memory, decision, kit);
        if (preCopy.isPossible()) {
            preCopy.run();
        } else {
            preCopy.leaveOut();
        }
        if (kit.request().dryRun()) {
            kit.timeline().decide(Decision.Kind.DRY_RUN, "All is ready to pause the guest: the dry run ends here.");
            kit.signal().close();
            return;
        }
        new Switchover(ends, memory, kit).run(preCopy, decision);
    }

    private void setUp() throws MigrationException {
        kit.timeline().enter(MigrationPhase.SETUP);
        kit.signal().check();
        for (DeviceEnds device : ends.devices()) {
            device.source().machine().sync();
            device.destination().machine().sync();
        }
        // Whatever can be prepared is prepared here, while the guest still runs.
        memory = CarriedMemory.of(ends, kit);
        ends.touchDestinations();
        List<Crew.Piece> resets = new ArrayList<>();
        for (Device destination : ends.destinations()) {
            resets.add(gate -> {
                destination.machine().resetIfReleased();
                kit.signal().progress();
            });
        }
        kit.crew().run(resets);
        kit.passes().go(Passes.Move.rehearsals(ends.devices(), DeviceState.STOP), Step.STOP);
        ends.devices().forEach(DeviceEnds::rehearsed);
        kit.passes().goUntimed(ends.destinations(), DeviceState.RESUMING);
        ends.devices().forEach(device -> device.load(SessionBytes.resuming(device.destination())));
    }

    /** Ends what does not end with the devices; answers what failed. */
    List<Failure> stopTracking() {
        return memory.map(CarriedMemory::stopTracking).orElse(List.of());
    }
}
