// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.demandState;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.contract.Check;
import dev.ferry.device.DeviceException;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel itself answers, asked without a driver between: the whole matrix of states and the error numbers that
 * the fake kernel of the unit tests answers, too.
 */
final class KernelChecks {
    private static final int UNKNOWN_IOCTL = 0x3BFF;
    private static final int UNKNOWN_FEATURE = 100;
    private static final int NO_STATE = 8;
    private static final int PRECOPY_INFO_BYTES = 24;
    /** Of mtty's stream, which are checked as soon as they are there. */
    private static final int HEADER_BYTES = 24;

    private static final int MANY_BYTES = 4096;

    private final SystemCalls calls = new LinuxSystemCalls();
    private final HostDevices devices;
    private final String name;

    KernelChecks(HostDevices devices, String name) {
        this.devices = devices;
        this.name = name;
    }

    List<Check> checks() {
        List<Check> checks = new ArrayList<>();
        for (DeviceState from : DeviceState.values()) {
            if (from != DeviceState.ERROR) {
                checks.add(new Check("the kernel's way from %s to every state".formatted(from), () -> row(from)));
            }
        }
        checks.add(new Check("the kernel refuses states that cannot be asked for", this::impossibleStates));
        checks.add(new Check("the kernel's answers to features asked wrongly", this::features));
        checks.add(new Check("the kernel's answers on data descriptors", this::dataDescriptors));
        return checks;
    }

    private void row(DeviceState from) throws Exception {
        try (Driven driven = devices.open(name)) {
            VfioDevice device = driven.open().device();
            for (DeviceState to : DeviceState.values()) {
                driven.driver().reset();
                set(device, from);
                int expected = expected(from, to);
                Answer answer = set(device, to);
                demand(answer.error() == expected, "%s to %s gives %s instead of %s",
                        from, to, told(answer.error()), told(expected));
                demand(answer.fd() >= 0 == (expected == 0 && opensSession(from, to)),
                        "%s to %s gives descriptor %d", from, to, answer.fd());
                demandState(driven.driver(), expected == 0 ? to : from);
            }
            driven.driver().reset();
        }
    }

    private static int expected(DeviceState from, DeviceState to) {
        if (to == DeviceState.ERROR) {
            return -LinuxErrno.EINVAL;
        }
        if (from == DeviceState.STOP_COPY && (to == DeviceState.PRE_COPY || to == DeviceState.PRE_COPY_P2P)) {
            return -LinuxErrno.EINVAL;
        }
        // Nothing was loaded, and every way out of RESUMING ends the loading.
        return from == DeviceState.RESUMING && to != from ? -LinuxErrno.EINVAL : 0;
    }

    /** Whether the last arc of the way begins a session; one that saves goes on between the states it is open in. */
    private static boolean opensSession(DeviceState from, DeviceState to) {
        return from != to && (to == DeviceState.RESUMING
                || to.isSaving() && from != DeviceState.PRE_COPY && from != DeviceState.PRE_COPY_P2P);
    }

    private void impossibleStates() throws Exception {
        try (Driven driven = devices.open(name)) {
            for (int state : new int[] {0, NO_STATE, -1}) {
                int result = set(driven.open().device(), state).error();
                demand(result == -LinuxErrno.EINVAL, "state %d gives %s", state, told(result));
                demandState(driven.driver(), DeviceState.RUNNING);
            }
        }
    }

    private void features() throws Exception {
        try (Driven driven = devices.open(name);
                Arena arena = Arena.ofConfined()) {
            VfioDevice device = driven.open().device();
            MemorySegment header = arena.allocate(DeviceFeature.Header.BYTES, Long.BYTES);
            MemorySegment whole = arena.allocate(DeviceFeature.Header.BYTES + Long.BYTES, Long.BYTES);
            demand(device.feature(UNKNOWN_FEATURE | DeviceFeature.GET | DeviceFeature.PROBE, header) == -LinuxErrno.ENOTTY,
                    "a probe of an unknown feature");
            demand(device.feature(DeviceFeature.MIGRATION | DeviceFeature.SET | DeviceFeature.PROBE, header)
                            == -LinuxErrno.EINVAL, "PROBE and SET of MIGRATION");
            demand(device.feature(DeviceFeature.MIGRATION | DeviceFeature.SET, whole) == -LinuxErrno.EINVAL,
                    "SET of MIGRATION");
            demand(device.feature(DeviceFeature.MIGRATION | DeviceFeature.GET | DeviceFeature.SET, whole)
                            == -LinuxErrno.EINVAL, "GET and SET at once");
            demand(device.feature(DeviceFeature.MIGRATION | DeviceFeature.GET, header) == -LinuxErrno.EINVAL,
                    "an argsz that is too short");
            demand(device.ioctl(VfioIoctl.VFIO_DEVICE_FEATURE, MemorySegment.NULL) == -LinuxErrno.EFAULT, "a null pointer");
            demand(device.ioctl(UNKNOWN_IOCTL, MemorySegment.NULL) == -LinuxErrno.ENOTTY, "an unknown call");
        }
    }

    private void dataDescriptors() throws Exception {
        try (Driven driven = devices.open(name);
                Arena arena = Arena.ofConfined()) {
            VfioDevice device = driven.open().device();
            MemorySegment bytes = arena.allocate(16);
            int saving = descriptor(device, DeviceState.STOP_COPY);
            expect("write to a saving descriptor", calls.write(saving, bytes), LinuxErrno.EBADF);
            expect("pread of a saving descriptor", calls.pread(saving, bytes, 0), LinuxErrno.ESPIPE);
            expect("pre-copy information in STOP_COPY", precopyInfo(saving, arena, PRECOPY_INFO_BYTES),
                    LinuxErrno.EINVAL);
            expect("an unknown call", calls.ioctl(saving, UNKNOWN_IOCTL, MemorySegment.NULL), LinuxErrno.ENOTTY);
            set(device, DeviceState.STOP);
            expect("read after STOP", calls.read(saving, bytes), LinuxErrno.ENODEV);
            calls.close(saving);
            int resuming = descriptor(device, DeviceState.RESUMING);
            expect("read of a resuming descriptor", calls.read(resuming, bytes), LinuxErrno.EBADF);
            expect("pwrite to a resuming descriptor", calls.pwrite(resuming, bytes, 0), LinuxErrno.ESPIPE);
            expect("more bytes than a state has", calls.write(resuming, arena.allocate(MANY_BYTES)), LinuxErrno.ENOMEM);
            expect("a header of zeros", calls.write(resuming, arena.allocate(HEADER_BYTES)), LinuxErrno.EFAULT);
            driven.driver().reset();
            expect("write after a reset", calls.write(resuming, bytes), LinuxErrno.ENODEV);
            calls.close(resuming);
            int precopy = descriptor(device, DeviceState.PRE_COPY);
            expect("an argsz of pre-copy information that is too short", precopyInfo(precopy, arena,
                    PRECOPY_INFO_BYTES - 1), LinuxErrno.EINVAL);
            demand(precopyInfo(precopy, arena, PRECOPY_INFO_BYTES) == 0, "no pre-copy information in PRE_COPY");
            driven.driver().reset();
            expect("read after a reset", calls.read(precopy, bytes), LinuxErrno.ENODEV);
            calls.close(precopy);
        }
    }

    private int precopyInfo(int fd, Arena arena, int argsz) {
        MemorySegment info = arena.allocate(PRECOPY_INFO_BYTES, Long.BYTES);
        info.set(JAVA_INT, 0, argsz);
        return calls.ioctl(fd, VfioIoctl.VFIO_MIG_GET_PRECOPY_INFO, info);
    }

    private int descriptor(VfioDevice device, DeviceState state) throws DeviceException {
        Answer answer = set(device, state.number());
        demand(answer.error() == 0 && answer.fd() >= 0, "no descriptor in %s: %s", state, told(answer.error()));
        return answer.fd();
    }

    private static void expect(String what, long result, int errno) {
        demand(result == -errno, "%s gives %s instead of %s", what, told((int) result), LinuxErrno.name(errno));
    }

    private record Answer(int error, int fd) {}

    /** Asks for a state and closes the descriptor, where there is one. */
    private Answer set(VfioDevice device, DeviceState state) {
        Answer answer = set(device, state.number());
        if (answer.fd() >= 0) {
            calls.close(answer.fd());
        }
        return answer;
    }

    private static Answer set(VfioDevice device, int state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument =
                    arena.allocate(DeviceFeature.Header.BYTES + DeviceFeature.MigState.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DeviceFeature.Header.DATA + DeviceFeature.MigState.DEVICE_STATE, state);
            argument.set(JAVA_INT, DeviceFeature.Header.DATA + DeviceFeature.MigState.DATA_FD, -1);
            int error = device.feature(DeviceFeature.MIG_DEVICE_STATE | DeviceFeature.SET, argument);
            return new Answer(error, argument.get(JAVA_INT, DeviceFeature.Header.DATA + DeviceFeature.MigState.DATA_FD));
        }
    }

    private static String told(int result) {
        return result >= 0 ? "success" : LinuxErrno.name(-result);
    }
}
