// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.StateChange;
import java.util.List;
import java.util.Optional;

/** Resets one device, as an operator asks for it. */
final class ResetOperation {

    private final Device device;
    private final StopSignal signal;

    ResetOperation(Device device, StopSignal signal) {
        this.device = device;
        this.signal = signal;
    }

    /** Resets; the device need not tell its state before, since a reset is what helps when it cannot. */
    StateChange run() throws MigrationException {
        try (Reservation reserved = device.reserve(signal)) {
            DeviceState before = device.state().orElse(DeviceState.ERROR);
            reserved.device().machine().reset();
            return new StateChange(device.id(), before, List.of(), DeviceState.RUNNING);
        } catch (MigrationException e) {
            throw new MigrationException(new Failures(signal, e).toFailure(Optional.empty()), e);
        }
    }
}
