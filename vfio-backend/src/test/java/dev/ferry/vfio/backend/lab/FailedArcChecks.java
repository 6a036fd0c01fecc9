// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.demandState;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;

import dev.ferry.contract.Check;
import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.KernelException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Each arc, refused by the lab's own device: where it began, and with ERROR as what is left. */
final class FailedArcChecks {
    /** An error that the driver has no name of its own for, so that the kernel's must be told. */
    private static final int EPERM = 1;

    private static final int EIO = 5;

    private final HostDevices devices;
    private final String name;

    FailedArcChecks(HostDevices devices, String name) {
        this.devices = devices;
        this.name = name;
    }

    List<Check> checks() {
        List<Check> checks = new ArrayList<>();
        for (Arc arc : ArcWalk.ALL_ARCS) {
            checks.add(new Check("%s fails: told with call, errno and state, the session over".formatted(arc), () -> {
                try (Driven driven = devices.open(name)) {
                    fail(driven, arc, false);
                    fail(driven, arc, true);
                }
            }));
        }
        return checks;
    }

    private void fail(Driven driven, Arc arc, boolean toError) throws Exception {
        driven.driver().reset();
        long descriptors = OpenDescriptors.count();
        Optional<DataTransferSession> session = ArcWalk.before(driven.driver(), arc);
        int errno = toError ? EPERM : EIO;
        new SteeredDevice(driven.open().device()).fail(arc, errno, toError);
        DeviceException told = refusal(KernelException.nearest(errno), () -> driven.driver().step(arc));
        DeviceState left = toError ? DeviceState.ERROR : arc.from();
        demandState(driven.driver(), left);
        demandTold(told, arc, errno, left);
        if (session.isPresent()) {
            refusal(Errno.ENODEV, () -> use(session.get()));
        }
        demand(OpenDescriptors.count() == descriptors, "%d descriptors before, %d after",
                descriptors, OpenDescriptors.count());
        driven.driver().reset();
        demandState(driven.driver(), DeviceState.RUNNING);
    }

    private void demandTold(DeviceException told, Arc arc, int errno, DeviceState left) {
        String message = told.getMessage();
        boolean named = message.contains(name) && message.contains(arc.toString())
                && message.endsWith("it is in %s now".formatted(left));
        demand(named && (errno == EIO || message.contains("EPERM")), "told: %s", message);
        demand(told.getCause() instanceof KernelException kernel && kernel.number() == errno
                && kernel.call().equals("VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE " + arc.to()), "cause: %s", told.getCause());
    }

    private static void use(DataTransferSession session) throws Exception {
        switch (session) {
            case SavingSession saving -> saving.read(ByteBuffer.allocate(1));
            case ResumingSession resuming -> resuming.write(ByteBuffer.allocate(1));
        }
    }
}
