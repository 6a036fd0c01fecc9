// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.demandState;
import static dev.ferry.vfio.backend.lab.LabChecks.pump;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;
import static dev.ferry.vfio.backend.lab.LabChecks.resuming;
import static dev.ferry.vfio.backend.lab.LabChecks.take;

import dev.ferry.contract.Check;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The lab's own device, whose module lies beside the lab: what {@code mtty} cannot show. Its registers are described at
 * the top of {@code ferry_lab.c}.
 */
final class SteeredDeviceChecks {
    private static final int EIO = 5;
    private static final int LARGE_STATE = 3_000_001;
    private static final int HEADER_BYTES = 32;
    private static final int PAGE = 4096;

    private final HostDevices devices;
    private final String first;
    private final String second;

    SteeredDeviceChecks(HostDevices devices, String first, String second) {
        this.devices = devices;
        this.first = first;
        this.second = second;
    }

    List<Check> checks() {
        return List.of(
                new Check("a state of 3,000,001 bytes arrives, every byte checked by the device", this::largeState),
                new Check("dirty bytes come, are read, and end in nothing for now", this::dirtyBytes),
                new Check("a read that the kernel answers with ENOMSG is nothing for now", this::noMessage),
                new Check("a read that the device fails ends the session with EIO", this::failedRead),
                new Check("a write that the device fails ends the session for good", this::failedWrite),
                new Check("an arc that fails into ERROR is left by a reset only", this::errorState),
                new Check("new initial data are announced where the kernel knows how", this::reinitialization),
                new Check(
                        "a device that its user resets meanwhile is RUNNING, and its session dead",
                        this::resetMeanwhile),
                new Check("where a program left a session, the arc that needs it is refused", this::lostSession));
    }

    private interface Steps {
        void run(Driven source, Driven destination, SteeredDevice from, SteeredDevice to) throws Exception;
    }

    private void with(Steps steps) throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            source.driver().reset();
            destination.driver().reset();
            steps.run(source, destination,
                    new SteeredDevice(source.open().device()), new SteeredDevice(destination.open().device()));
        }
    }

    private void largeState() throws Exception {
        with((source, destination, from, to) -> {
            from.set(SteeredDevice.STATE_BYTES, LARGE_STATE);
            from.set(SteeredDevice.SEED, 0x123456789ABCDEFL);
            from.set(SteeredDevice.SCRATCH, 0xFEDCBA987654321L);
            LabChecks.demandStopCopySize(devices, source, HEADER_BYTES + LARGE_STATE);
            LabChecks.migrate(source.driver(), destination.driver());
            demand(to.get(SteeredDevice.LOADED_BYTES) == LARGE_STATE, "loaded %d", to.get(SteeredDevice.LOADED_BYTES));
            demand(to.get(SteeredDevice.SEED) == 0x123456789ABCDEFL, "another seed");
            demand(to.get(SteeredDevice.SCRATCH) == 0xFEDCBA987654321L, "another scratch register");
        });
    }

    private void dirtyBytes() throws Exception {
        with((source, destination, from, to) -> {
            from.set(SteeredDevice.INITIAL_BYTES, 1000);
            SavingSession saving = precopy(source);
            ResumingSession loading = resuming(destination.driver());
            PrecopyInfo info = saving.precopyInfo();
            demand(info.initialBytes() >= 1000 && info.dirtyBytes() == 0, "at first: %s", info);
            demand(!pump(saving, loading), "PRE_COPY has no end");
            info = saving.precopyInfo();
            demand(info.totalBytes() == 0, "after all was read: %s", info);
            for (int round = 1; round <= 3; round++) {
                from.set(SteeredDevice.MAKE_DIRTY, 5000L * round);
                info = saving.precopyInfo();
                demand(info.initialBytes() == 0 && info.dirtyBytes() == HEADER_BYTES + 5000L * round,
                        "dirty: %s", info);
                demand(!pump(saving, loading), "PRE_COPY has no end");
                demand(saving.precopyInfo().totalBytes() == 0, "dirty bytes stay");
            }
            take(source.driver(), Arc.PRE_COPY_TO_PRE_COPY_P2P, Arc.PRE_COPY_P2P_TO_STOP_COPY);
            demand(pump(saving, loading), "no end in STOP_COPY");
            take(destination.driver(), Arc.RESUMING_TO_STOP);
        });
    }

    /** The kernel says that a read would not wait, and has nothing: as with devices that have no poll. */
    private void noMessage() throws Exception {
        with((source, destination, from, to) -> {
            from.set(SteeredDevice.POLL_READY, 1);
            RawRequests raw = new RawRequests(devices.calls(), source.open().device());
            int fd = raw.descriptor(DeviceState.PRE_COPY);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(PAGE);
                demand(devices.calls().read(fd, bytes) > 0, "no initial data");
                RawRequests.expect("read behind the data", devices.calls().read(fd, bytes), LinuxErrno.ENOMSG);
            } finally {
                devices.calls().close(fd);
            }
            source.driver().reset();
            from.set(SteeredDevice.POLL_READY, 1);
            SavingSession saving = precopy(source);
            demand(!pump(saving, resuming(destination.driver())), "PRE_COPY has no end");
            demand(saving.read(ByteBuffer.allocate(1)) == 0, "something behind the data");
            from.set(SteeredDevice.MAKE_DIRTY, 1);
            demand(saving.read(ByteBuffer.allocate(1)) == 1, "nothing although there are data again");
        });
    }

    private void failedRead() throws Exception {
        with((source, destination, from, to) -> {
            take(source.driver(), Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            from.set(SteeredDevice.STATE_BYTES, LARGE_STATE);
            from.set(SteeredDevice.FAIL_DATA, 100_000);
            SavingSession saving =
                    (SavingSession) source.driver().step(Arc.STOP_TO_STOP_COPY).orElseThrow();
            ResumingSession loading = resuming(destination.driver());
            DeviceException told = refusal(Errno.EIO, () -> pump(saving, loading));
            demand(told.getMessage().contains("read") && told.getMessage().contains(first),
                    "told: %s", told.getMessage());
            take(source.driver(), Arc.STOP_COPY_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
        });
    }

    private void failedWrite() throws Exception {
        with((source, destination, from, to) -> {
            take(source.driver(), Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            SavingSession saving =
                    (SavingSession) source.driver().step(Arc.STOP_TO_STOP_COPY).orElseThrow();
            ResumingSession loading = resuming(destination.driver());
            to.set(SteeredDevice.FAIL_DATA, 100);
            refusal(Errno.EIO, () -> pump(saving, loading));
            refusal(Errno.EIO, () -> loading.write(ByteBuffer.allocate(8)));
            refusal(Errno.EINVAL, () -> destination.driver().step(Arc.RESUMING_TO_STOP));
            demandState(destination.driver(), DeviceState.RESUMING);
        });
    }

    private void errorState() throws Exception {
        with((source, destination, from, to) -> {
            take(source.driver(), Arc.RUNNING_TO_RUNNING_P2P);
            from.fail(Arc.RUNNING_P2P_TO_STOP, EIO, true);
            DeviceException told = refusal(Errno.EIO, () -> source.driver().step(Arc.RUNNING_P2P_TO_STOP));
            demand(told.getMessage().contains("ERROR"), "told: %s", told.getMessage());
            demandState(source.driver(), DeviceState.ERROR);
            source.driver().reset();
            demandState(source.driver(), DeviceState.RUNNING);
        });
    }

    private void reinitialization() throws Exception {
        with((source, destination, from, to) -> {
            boolean known = source.open().device().probe(
                    DeviceFeature.MIG_PRECOPY_INFOv2, DeviceFeature.SET, "SET MIG_PRECOPY_INFOv2");
            demand(known == KernelFlavor.isRelease(7, 1), "the probe says %s", known);
            SavingSession saving = precopy(source);
            ResumingSession loading = resuming(destination.driver());
            pump(saving, loading);
            demand(!saving.precopyInfo().reinitialized(), "new initial data without any");
            from.set(SteeredDevice.REINIT, 700);
            PrecopyInfo info = saving.precopyInfo();
            demand(info.initialBytes() == HEADER_BYTES + 700, "initial bytes: %s", info);
            demand(info.reinitialized() == known,
                    "announced: %s, known to the kernel: %s", info.reinitialized(), known);
        });
    }

    private void resetMeanwhile() throws Exception {
        with((source, destination, from, to) -> {
            SavingSession saving = precopy(source);
            from.resetDirectly();
            demandState(source.driver(), DeviceState.RUNNING);
            refusal(Errno.ENODEV, () -> saving.read(ByteBuffer.allocateDirect(100)));
        });
    }

    private void lostSession() throws Exception {
        leave(Arc.RUNNING_TO_PRE_COPY, Arc.PRE_COPY_TO_PRE_COPY_P2P);
        refused(Arc.PRE_COPY_P2P_TO_STOP_COPY, Errno.ENODEV);
        leave(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_RESUMING);
        refused(Arc.RESUMING_TO_STOP, Errno.EINVAL);
    }

    /** Closes the device where some arcs lead, as a program does that ends. */
    private void leave(Arc... arcs) throws Exception {
        try (Driven driven = devices.open(first)) {
            driven.driver().reset();
            take(driven.driver(), arcs);
        }
    }

    private void refused(Arc arc, Errno errno) throws Exception {
        try (Driven driven = devices.openAsItIs(first)) {
            demandState(driven.driver(), arc.from());
            refusal(errno, () -> driven.driver().step(arc));
            demandState(driven.driver(), arc.from());
            driven.driver().reset();
            demandState(driven.driver(), DeviceState.RUNNING);
        }
    }

    private static SavingSession precopy(Driven source) throws DeviceException {
        return (SavingSession) source.driver().step(Arc.RUNNING_TO_PRE_COPY).orElseThrow();
    }
}
