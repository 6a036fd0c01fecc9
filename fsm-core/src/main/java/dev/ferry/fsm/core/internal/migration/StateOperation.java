// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceMachine;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.StateChange;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sets the state of one device, as an operator asks for it: after a failure it stays in the last state reached. */
final class StateOperation {

    private static final Logger LOG = LoggerFactory.getLogger(StateOperation.class);

    private final Device device;
    private final StopSignal signal;

    StateOperation(Device device, StopSignal signal) {
        this.device = device;
        this.signal = signal;
    }

    /** Goes there; a released device is reset first, as what it holds runs elsewhere. */
    StateChange run(DeviceState target) throws MigrationException {
        try (Reservation reserved = device.reserve(signal)) {
            return change(reserved.device().machine(), target);
        } catch (MigrationException e) {
            throw new MigrationException(told(new Failures(signal, e).toFailure(Optional.empty())), e);
        }
    }

    private StateChange change(DeviceMachine machine, DeviceState target) throws MigrationException {
        DeviceState before = machine.sync();
        machine.requireWay(target);
        if (before == target) {
            return new StateChange(device.id(), before, List.of(), target);
        }
        resetIfReleased(machine, target);
        List<Arc> arcs = machine.goTo(target, watch());
        return new StateChange(device.id(), before, arcs, target);
    }

    private static void resetIfReleased(DeviceMachine machine, DeviceState target) throws MigrationException {
        try {
            machine.resetIfReleased();
        } catch (MigrationException e) {
            if (target != DeviceState.STOP) {
                throw e;
            }
            LOG.warn("A released device goes to STOP without a reset, which stays due. {}", e.failure().message(), e);
            machine.sync();
        }
    }

    /** Nobody hands over a stream here, so a refused end of RESUMING is a failed step like any other. */
    private static Failure told(Failure failure) {
        if (failure.code() != FailureCode.STREAM_REFUSED) {
            return failure;
        }
        return new Failure(
                FailureCode.DEVICE_FAILED,
                failure.phase(),
                failure.device(),
                failure.errno(),
                failure.message() + "; RESUMING is left with a complete state loaded, or by a reset of the device",
                failure.following());
    }

    private ArcWatch watch() {
        return new ArcWatch() {
            @Override
            public void before(String id, Arc arc) throws MigrationException {
                signal.check();
            }

            @Override
            public void taken(String id, Arc arc) {
                // The arcs are in the result.
            }
        };
    }
}
