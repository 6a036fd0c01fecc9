// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.Errno;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Is killed: brings devices into states, with open sessions, and migrates between two more until it is. Arguments: {@code
 * auto}, {@code group} or {@code cdev}; a file that is made when the devices are in their states; two devices to migrate
 * between; then pairs of a state and a device. ERROR wants a device of the lab's own module.
 */
public final class LeftBehind {
    private static final int EIO = 5;
    private static final int FEW_BYTES = 50;
    /** Nobody killed it. */
    private static final int SURVIVED = 3;

    private static final int MOST_MIGRATIONS = 100_000;

    private static final Map<DeviceState, List<Arc>> WAYS = Map.of(
            DeviceState.RUNNING, List.of(),
            DeviceState.RUNNING_P2P, List.of(Arc.RUNNING_TO_RUNNING_P2P),
            DeviceState.STOP, List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP),
            DeviceState.STOP_COPY, List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_STOP_COPY),
            DeviceState.RESUMING, List.of(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_RESUMING),
            DeviceState.PRE_COPY, List.of(Arc.RUNNING_TO_PRE_COPY),
            DeviceState.PRE_COPY_P2P, List.of(Arc.RUNNING_TO_PRE_COPY, Arc.PRE_COPY_TO_PRE_COPY_P2P),
            DeviceState.ERROR, List.of(Arc.RUNNING_TO_RUNNING_P2P));

    private LeftBehind() {}

    /** Does not return. */
    public static void main(String[] arguments) throws Exception {
        HostDevices devices = new HostDevices(arguments[0]);
        List<Driven> held = new ArrayList<>();
        for (int i = 4; i + 1 < arguments.length; i += 2) {
            Driven driven = devices.open(arguments[i + 1]);
            held.add(driven);
            bring(driven, DeviceState.valueOf(arguments[i]));
        }
        try (Driven first = devices.open(arguments[2]);
                Driven second = devices.open(arguments[3])) {
            Files.createFile(Path.of(arguments[1]));
            for (int i = 0; i < MOST_MIGRATIONS; i++) {
                LabChecks.migrate(first.driver(), second.driver());
                first.driver().reset();
                second.driver().reset();
            }
        }
        System.err.println("nobody killed this program, which held " + held.size() + " devices");
        System.exit(SURVIVED);
    }

    private static void bring(Driven driven, DeviceState state) throws Exception {
        for (Arc arc : WAYS.get(state)) {
            DataTransferSession session = driven.driver().step(arc).orElse(null);
            if (session instanceof SavingSession saving) {
                // In the middle of a stream.
                saving.read(ByteBuffer.allocate(FEW_BYTES));
            }
        }
        if (state == DeviceState.ERROR) {
            new SteeredDevice(driven.open().device()).fail(Arc.RUNNING_P2P_TO_STOP, EIO, true);
            LabChecks.refusal(Errno.EIO, () -> driven.driver().step(Arc.RUNNING_P2P_TO_STOP));
        }
        LabChecks.demandState(driven.driver(), state);
    }
}
