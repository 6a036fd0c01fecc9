// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DeviceMachine;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.Reservation;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Loads a saved state into a RUNNING device. All of it is read before the device stops, which so does not wait for
 * whoever gives it. The state it has is kept meanwhile: after a failure the device is RUNNING with the former one
 * again, unless that cannot be loaded either.
 */
final class RestoreOperation {

    private final Device device;
    private final DeviceMachine machine;
    private final StopSignal signal;
    private final Settings settings;

    RestoreOperation(Device device, StopSignal signal, Settings settings) {
        this.device = device;
        this.machine = device.machine();
        this.signal = signal;
        this.settings = settings;
    }

    /** Restores; answers the bytes read. */
    long run(ByteSource from) throws MigrationException {
        try (Reservation reserved = device.reserve(signal);
                Spool saved = spool(reserved.device().id(), "the saved state");
                Spool former = spool(reserved.device().id(), "its former state")) {
            SaveOperation.requireRunning(device);
            Pump pump = Pump.unpaced(settings.chunkBytes(), signal);
            pump.toEnd(from, saved);
            keep(former, pump);
            return load(saved, former, pump);
        }
    }

    private Spool spool(String id, String content) {
        Path directory = Path.of(System.getProperty("java.io.tmpdir"));
        return new Spool(id, content, directory, settings.spoolMemoryBytes(), settings.spoolFileBytes());
    }

    private void keep(Spool former, Pump pump) throws MigrationException {
        try {
            machine.goTo(DeviceState.STOP_COPY, ArcWatch.NONE);
            pump.toEnd(SessionBytes.stopped(device), former);
        } catch (MigrationException | RuntimeException | Error e) {
            Failures failures = new Failures(signal, e);
            Uninterrupted.run(() -> failures.add(new Recovery(device, ArcWatch.NONE).unwind().failures()));
            throw new MigrationException(failures.toFailure(Optional.empty()), e);
        }
    }

    private long load(Spool saved, Spool former, Pump pump) throws MigrationException {
        try {
            return loadFrom(saved, pump);
        } catch (MigrationException | RuntimeException | Error e) {
            Failures failures = new Failures(signal, e);
            Uninterrupted.run(() -> bringBack(former, pump.unstoppable(), failures));
            throw new MigrationException(failures.toFailure(Optional.empty()), e);
        }
    }

    private long loadFrom(Spool from, Pump pump) throws MigrationException {
        machine.goTo(DeviceState.RESUMING, ArcWatch.NONE);
        long bytes = pump.toEnd(from, SessionBytes.resuming(device));
        machine.goTo(DeviceState.RUNNING, ArcWatch.NONE);
        return bytes;
    }

    private void bringBack(Spool former, Pump pump, Failures failures) {
        try {
            machine.reset();
            loadFrom(former, pump);
        } catch (MigrationException | RuntimeException | Error e) {
            failures.add(Failures.of(e));
            failures.add(new Recovery(device, ArcWatch.NONE).abandon().failures());
            failures.add(device.calls().failure(
                    FailureCode.DEVICE_FAILED,
                    Optional.empty(),
                    "the state it had before the restore is lost; restart its driver in the guest."));
        }
    }
}
