// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.DriverCalls;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.Objects;
import java.util.Optional;

/** The open data transfer session of a device as a source or a sink of bytes. */
final class SessionBytes {

    private SessionBytes() {}

    /** Reads while the device runs: may answer 0, never the end. */
    static ByteSource running(Device device) {
        DriverCalls calls = device.calls();
        SavingSession session = device.machine().savingSession();
        return into -> {
            int bytes = calls.call("reading its state", () -> session.read(into));
            if (bytes < 0) {
                throw broken(calls, "ended its stream in PRE_COPY");
            }
            return bytes;
        };
    }

    /** Reads after the device was stopped: to the end, never 0. */
    static ByteSource stopped(Device device) {
        DriverCalls calls = device.calls();
        SavingSession session = device.machine().savingSession();
        return into -> {
            int bytes = calls.call("reading its state", () -> session.read(into));
            if (bytes == 0) {
                throw broken(calls, "gave neither data nor an end of stream in STOP_COPY");
            }
            return bytes;
        };
    }

    /** How much there is to read while the device runs. */
    static PrecopyInfo precopyInfo(Device device) throws MigrationException {
        SavingSession session = device.machine().savingSession();
        return device.calls()
                .call("asking for its pre-copy sizes", () -> Objects.requireNonNull(session.precopyInfo(), "no sizes"));
    }

    /** Whether the device can tell of a re-initialisation when it is asked how much there is to read. */
    static boolean announcesReinitialization(Device device) throws MigrationException {
        SavingSession session = device.machine().savingSession();
        return device.calls().call("asking for its session's abilities", session::announcesReinitialization);
    }

    /** Writes into a device in RESUMING. */
    static ByteSink resuming(Device device) {
        DriverCalls calls = device.calls();
        ResumingSession session = device.machine().resumingSession();
        return from -> {
            calls.callLoading("writing its state", () -> session.write(from));
            if (from.hasRemaining()) {
                throw broken(calls, "did not take all bytes in RESUMING");
            }
        };
    }

    private static MigrationException broken(DriverCalls calls, String what) {
        return new MigrationException(calls.failure(
                FailureCode.DEVICE_FAILED,
                Optional.of(Errno.EIO),
                "its driver " + what + "; report this to its vendor."));
    }
}
