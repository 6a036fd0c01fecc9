// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.demandState;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;
import static dev.ferry.vfio.backend.lab.RawRequests.expect;
import static dev.ferry.vfio.backend.lab.RawRequests.told;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.contract.Check;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceMemory;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Header;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Precopy;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.lab.RawRequests.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the kernel itself answers, asked without a driver between: the whole matrix of states and the error numbers. The
 * fake kernel of the unit tests is asked the same; only {@link #ofMtty} is about the stream of one driver.
 */
final class KernelChecks {
    private static final int UNKNOWN_IOCTL = 0x3BFF;
    private static final int UNKNOWN_FEATURE = 100;
    /** Features that the kernel knows, and a mediated device has not; 12 depends on the release. */
    private static final int[] OTHERS_FEATURES = {0, 3, 4, 5, 10, 11};

    private static final int NO_STATE = 8;
    private static final long IOVA = 0x10000000L;
    /** Of mtty's stream, which are checked as soon as they are there. */
    private static final int HEADER_BYTES = 24;

    private static final int PORTS = 16;
    private static final int MANY_BYTES = 4096;
    // Errors of Linux at which only these checks look.
    private static final int ENOMEM = 12;
    private static final int EFAULT = 14;
    private static final int ESPIPE = 29;

    private final SystemCalls calls;
    private final HostDevices devices;
    private final String name;

    KernelChecks(HostDevices devices, String name) {
        this.calls = devices.calls();
        this.devices = devices;
        this.name = name;
    }

    private interface Steps {
        void run(Driven driven, RawRequests raw) throws Exception;
    }

    private void with(Steps steps) throws Exception {
        try (Driven driven = devices.open(name)) {
            driven.driver().reset();
            steps.run(driven, new RawRequests(calls, driven.open().device()));
            driven.driver().reset();
        }
    }

    List<Check> checks() {
        List<Check> checks = new ArrayList<>();
        for (DeviceState from : DeviceState.values()) {
            if (from != DeviceState.ERROR) {
                checks.add(new Check("the kernel's way from %s to every state".formatted(from), () -> row(from)));
            }
        }
        checks.add(new Check("the kernel's way from RESUMING, loaded, to every state", this::loadedRow));
        checks.add(new Check("the kernel refuses states that cannot be asked for", this::impossibleStates));
        checks.add(new Check("the kernel's answers to features asked wrongly", this::features));
        checks.add(new Check("the kernel's answers on data descriptors", this::dataDescriptors));
        checks.add(new Check("the kernel's answers to a state that is loaded", this::loading));
        checks.add(new Check("the kernel's answers to mappings", this::mappings));
        return checks;
    }

    /** What mtty says of its stream. */
    List<Check> ofMtty() {
        return List.of(new Check("the kernel's answers to a stream of mtty that is none", this::wrongStream));
    }

    private void row(DeviceState from) throws Exception {
        for (DeviceState to : DeviceState.values()) {
            with((driven, raw) -> {
                raw.bring(from);
                // Nothing was loaded, and every way out of RESUMING ends the loading.
                boolean lost = from == DeviceState.RESUMING && to != from;
                demandWay(driven, raw, from, to, lost || !exists(from, to) ? LinuxErrno.EINVAL : 0);
            });
        }
    }

    private void loadedRow() throws Exception {
        for (DeviceState to : DeviceState.values()) {
            with((driven, raw) -> {
                load(raw, raw.saved());
                DeviceState from = DeviceState.RESUMING;
                demandWay(driven, raw, from, to, exists(from, to) ? 0 : LinuxErrno.EINVAL);
            });
        }
    }

    /** Error number, descriptor and the state afterwards. */
    private static void demandWay(Driven driven, RawRequests raw, DeviceState from, DeviceState to, int errno)
            throws Exception {
        Answer answer = raw.setAndClose(to.number());
        expect("%s to %s".formatted(from, to), answer.error(), errno);
        demand(answer.fd() >= 0 == (errno == 0 && opensSession(from, to)), "%s to %s gives descriptor %d",
                from, to, answer.fd());
        demandState(driven.driver(), errno == 0 ? to : from);
    }

    private static boolean exists(DeviceState from, DeviceState to) {
        boolean back = from == DeviceState.STOP_COPY && (to == DeviceState.PRE_COPY || to == DeviceState.PRE_COPY_P2P);
        return to != DeviceState.ERROR && !back;
    }

    /** Whether the last arc of the way begins a session; one that saves goes on between the states it is open in. */
    private static boolean opensSession(DeviceState from, DeviceState to) {
        return from != to && (to == DeviceState.RESUMING
                || to.isSaving() && from != DeviceState.PRE_COPY && from != DeviceState.PRE_COPY_P2P);
    }

    private void impossibleStates() throws Exception {
        with((driven, raw) -> {
            for (int state : new int[] {0, NO_STATE, -1}) {
                Answer answer = raw.set(state);
                expect("state " + state, answer.error(), LinuxErrno.EINVAL);
                demand(answer.fd() == -1, "state %d gives descriptor %d", state, answer.fd());
                demandState(driven.driver(), DeviceState.RUNNING);
            }
        });
    }

    private void features() throws Exception {
        with((driven, raw) -> {
            int probe = DeviceFeature.GET | DeviceFeature.PROBE;
            expect("a probe of an unknown feature", raw.feature(UNKNOWN_FEATURE | probe), LinuxErrno.ENOTTY);
            for (int index : OTHERS_FEATURES) {
                expect("a probe of feature " + index, raw.feature(index | probe), LinuxErrno.ENOTTY);
            }
            int v2 = DeviceFeature.MIG_PRECOPY_INFOv2;
            boolean known = raw.feature(v2 | DeviceFeature.SET | DeviceFeature.PROBE) == 0;
            expect("a probe for GET of feature 12", raw.feature(v2 | probe),
                    known ? LinuxErrno.EINVAL : LinuxErrno.ENOTTY);
            expect("PROBE and SET of MIGRATION",
                    raw.feature(DeviceFeature.MIGRATION | DeviceFeature.SET | DeviceFeature.PROBE), LinuxErrno.EINVAL);
            expect("an argsz that is too short", raw.feature(DeviceFeature.MIGRATION | DeviceFeature.GET),
                    LinuxErrno.EINVAL);
            VfioDevice device = driven.open().device();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment whole = arena.allocate(Header.BYTES + Long.BYTES, Long.BYTES);
                expect("SET of MIGRATION", device.feature(DeviceFeature.MIGRATION | DeviceFeature.SET, whole),
                        LinuxErrno.EINVAL);
                expect("GET and SET at once",
                        device.feature(DeviceFeature.MIGRATION | DeviceFeature.GET | DeviceFeature.SET, whole),
                        LinuxErrno.EINVAL);
            }
            expect("a null pointer", device.ioctl(VfioIoctl.VFIO_DEVICE_FEATURE, MemorySegment.NULL),
                    EFAULT);
            expect("an unknown call", device.ioctl(UNKNOWN_IOCTL, MemorySegment.NULL), LinuxErrno.ENOTTY);
        });
    }

    private void dataDescriptors() throws Exception {
        with((driven, raw) -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(JAVA_LONG);
                int saving = raw.descriptor(DeviceState.STOP_COPY);
                expect("write to a saving descriptor", calls.write(saving, bytes), LinuxErrno.EBADF);
                expect("pread of a saving descriptor", calls.pread(saving, bytes, 0), ESPIPE);
                expect("pre-copy information in STOP_COPY", raw.precopyInfo(saving, Precopy.BYTES), LinuxErrno.EINVAL);
                expect("an unknown call", calls.ioctl(saving, UNKNOWN_IOCTL, MemorySegment.NULL), LinuxErrno.ENOTTY);
                raw.bring(DeviceState.STOP);
                expect("read after STOP", calls.read(saving, bytes), LinuxErrno.ENODEV);
                calls.close(saving);
                int resuming = raw.descriptor(DeviceState.RESUMING);
                expect("read of a resuming descriptor", calls.read(resuming, bytes), LinuxErrno.EBADF);
                expect("pread of a resuming descriptor", calls.pread(resuming, bytes, 0), ESPIPE);
                expect("pwrite to a resuming descriptor", calls.pwrite(resuming, bytes, 0), ESPIPE);
                driven.driver().reset();
                expect("write after a reset", calls.write(resuming, bytes), LinuxErrno.ENODEV);
                calls.close(resuming);
                int precopy = raw.descriptor(DeviceState.PRE_COPY);
                expect("pre-copy information with an argsz that is too short",
                        raw.precopyInfo(precopy, Precopy.BYTES - 1), LinuxErrno.EINVAL);
                expect("pre-copy information", raw.precopyInfo(precopy, Precopy.BYTES), 0);
                driven.driver().reset();
                expect("read after a reset", calls.read(precopy, bytes), LinuxErrno.ENODEV);
                calls.close(precopy);
            }
        });
    }

    private void loading() throws Exception {
        with((driven, raw) -> {
            byte[] state = raw.saved();
            int fd = raw.descriptor(DeviceState.RESUMING);
            byte[] cut = Arrays.copyOf(state, state.length - 1);
            demand(raw.write(fd, cut) == cut.length, "a part of a state is not taken");
            expect("STOP where the last byte is missing",
                    raw.set(DeviceState.STOP.number()).error(), LinuxErrno.EINVAL);
            demandState(driven.driver(), DeviceState.RESUMING);
            demand(raw.write(fd, new byte[] {state[state.length - 1]}) == 1, "the last byte is not taken");
            raw.bring(DeviceState.STOP);
            expect("write after STOP", raw.write(fd, cut), LinuxErrno.ENODEV);
            calls.close(fd);
        });
    }

    /** Into RESUMING, with a whole state. */
    private void load(RawRequests raw, byte[] state) {
        int fd = raw.descriptor(DeviceState.RESUMING);
        long written = raw.write(fd, state);
        demand(written == state.length, "%d bytes of a state: %s", state.length, told(written));
        calls.close(fd);
    }

    private void mappings() throws Exception {
        try (Driven driven = devices.open(name);
                UserMemory memory = driven.open().memory().orElseThrow().get()) {
            ByteBuffer page = MappedPages.of(1);
            DeviceMemory.Mapping mapping = memory.map(IOVA, page);
            DeviceException twice = refusal(Errno.EEXIST, () -> memory.map(IOVA, page));
            demand(twice.getMessage().contains("close that mapping first"), "told: %s", twice.getMessage());
            mapping.close();
            mapping.close();
            try (UserMemory another = driven.open().memory().orElseThrow().get()) {
                another.map(IOVA, page.asReadOnlyBuffer());
            }
            memory.map(IOVA, page);
        }
    }

    private void wrongStream() throws Exception {
        with((driven, raw) -> {
            byte[] state = raw.saved();
            byte[] ports = Arrays.copyOf(state, HEADER_BYTES);
            ports[PORTS]++;
            int fd = raw.descriptor(DeviceState.RESUMING);
            expect("more bytes than a state has", raw.write(fd, new byte[MANY_BYTES]), ENOMEM);
            expect("a header of zeros", raw.write(fd, new byte[HEADER_BYTES]), EFAULT);
            calls.close(fd);
            driven.driver().reset();
            fd = raw.descriptor(DeviceState.RESUMING);
            expect("a header with a port more", raw.write(fd, ports), EFAULT);
            calls.close(fd);
        });
    }
}
