// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Custody;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceMachine;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.List;
import java.util.Optional;

/**
 * Writes the state of a RUNNING device to a sink; the device is RUNNING again afterwards, also after a failure, unless
 * its {@link Recovery} fails.
 */
final class SaveOperation {

    private final Device device;
    private final StopSignal signal;
    private final int chunkBytes;

    SaveOperation(Device device, StopSignal signal, int chunkBytes) {
        this.device = device;
        this.signal = signal;
        this.chunkBytes = chunkBytes;
    }

    /** Saves; answers the bytes written. */
    long run(ByteSink to) throws MigrationException {
        try (Reservation reserved = device.reserve(signal)) {
            requireRunning(reserved.device());
            return save(to);
        }
    }

    private long save(ByteSink to) throws MigrationException {
        DeviceMachine machine = device.machine();
        long saved;
        try {
            Pump pump = Pump.unpaced(chunkBytes, signal);
            machine.goTo(DeviceState.STOP_COPY, ArcWatch.NONE);
            saved = pump.toEnd(SessionBytes.stopped(device), to);
            machine.goTo(DeviceState.RUNNING, ArcWatch.NONE);
        } catch (MigrationException | RuntimeException | Error e) {
            Failures failures = new Failures(signal, e);
            Uninterrupted.run(() -> failures.add(new Recovery(device, ArcWatch.NONE).unwind().failures()));
            throw new MigrationException(failures.toFailure(Optional.empty()), e);
        }
        return saved;
    }

    /** Fails with TRANSITION_REFUSED unless the device, whose reservation the caller holds, is RUNNING. */
    static void requireRunning(Device device) throws MigrationException {
        DeviceState state = device.machine().sync();
        if (state != DeviceState.RUNNING) {
            Custody custody = device.machine().custody();
            String released =
                    custody.isReleased() ? " (its state was migrated away; going to RUNNING resets it)" : "";
            String advice = custody.beforeItRuns().orElse("take it to RUNNING first" + released + ".");
            throw new MigrationException(new Failure(
                    FailureCode.TRANSITION_REFUSED,
                    Optional.empty(),
                    Optional.of(device.id()),
                    Optional.empty(),
                    device.id() + ": it is " + state + ", but only a RUNNING device can be saved or restored: "
                            + advice,
                    List.of()));
        }
        device.machine().requireWay(DeviceState.STOP_COPY);
    }
}
