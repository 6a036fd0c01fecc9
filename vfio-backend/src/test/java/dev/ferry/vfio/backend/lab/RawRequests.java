// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Header;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.MigDataSize;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.MigState;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Precopy;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Requests on an open device without a driver between, and what the kernel is demanded to answer. */
final class RawRequests {
    private static final int MOST_STREAM_BYTES = 1 << 16;

    private final SystemCalls calls;
    private final VfioDevice device;

    /**
     * What a request for a state gave.
     *
     * @param error 0 or the negated error number
     * @param fd a data descriptor, the caller's to close, or -1
     */
    record Answer(int error, int fd) {}

    RawRequests(SystemCalls calls, VfioDevice device) {
        this.calls = calls;
        this.device = device;
    }

    Answer set(int state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + MigState.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Header.DATA + MigState.DEVICE_STATE, state);
            argument.set(JAVA_INT, Header.DATA + MigState.DATA_FD, MigState.NO_FD);
            int error = device.feature(DeviceFeature.MIG_DEVICE_STATE | DeviceFeature.SET, argument);
            return new Answer(error, argument.get(JAVA_INT, Header.DATA + MigState.DATA_FD));
        }
    }

    /** Asks for a state and closes the descriptor, where there is one; its number is still told. */
    Answer setAndClose(int state) {
        Answer answer = set(state);
        if (answer.fd() >= 0) {
            calls.close(answer.fd());
        }
        return answer;
    }

    /** The way to a state with one request; must succeed. */
    void bring(DeviceState state) {
        int error = setAndClose(state.number()).error();
        demand(error == 0, "the way to %s gives %s", state, told(error));
    }

    /** The data descriptor that comes with a state; must succeed. */
    int descriptor(DeviceState state) {
        Answer answer = set(state.number());
        demand(answer.error() == 0 && answer.fd() >= 0, "no descriptor in %s: %s", state, told(answer.error()));
        return answer.fd();
    }

    /** The whole state of the device, which is RUNNING before and in STOP afterwards. */
    byte[] saved() {
        int fd = descriptor(DeviceState.STOP_COPY);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(MOST_STREAM_BYTES);
            long at = 0;
            long count = calls.read(fd, bytes);
            while (count > 0) {
                at += count;
                count = calls.read(fd, bytes.asSlice(at));
            }
            demand(count == 0, "a read in STOP_COPY gives %s", told(count));
            return bytes.asSlice(0, at).toArray(JAVA_BYTE);
        } finally {
            calls.close(fd);
            bring(DeviceState.STOP);
        }
    }

    /** What the kernel says of bytes that are written to a descriptor at once. */
    long write(int fd, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            return calls.write(fd, arena.allocateFrom(JAVA_BYTE, bytes));
        }
    }

    /** {@code stop_copy_length} of the kernel's driver. */
    long dataSize() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + MigDataSize.BYTES, Long.BYTES);
            int result = device.feature(DeviceFeature.MIG_DATA_SIZE | DeviceFeature.GET, argument);
            demand(result == 0, "GET MIG_DATA_SIZE gives %s", told(result));
            return argument.get(JAVA_LONG, Header.DATA + MigDataSize.STOP_COPY_LENGTH);
        }
    }

    int precopyInfo(int fd, int argsz) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(Precopy.BYTES, Long.BYTES);
            info.set(JAVA_INT, Precopy.ARGSZ, argsz);
            return calls.ioctl(fd, VfioIoctl.VFIO_MIG_GET_PRECOPY_INFO, info);
        }
    }

    /** One feature whose header is all there is. */
    int feature(int feature) {
        try (Arena arena = Arena.ofConfined()) {
            return device.feature(feature, arena.allocate(Header.BYTES, Long.BYTES));
        }
    }

    static void expect(String what, long result, int errno) {
        demand(result == -errno, "%s gives %s instead of %s", what, told(result), errno == 0 ? "0" : LinuxErrno.name(errno));
    }

    static String told(long result) {
        return result >= 0 ? Long.toString(result) : LinuxErrno.name((int) -result);
    }
}
