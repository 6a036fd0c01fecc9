// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix.PollFd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Descriptors of which one thread waits until something can be read from one of them, by poll(2). */
final class PollList implements AutoCloseable {
    /** Instead of a descriptor: poll(2) passes over the entry. */
    static final int PASSED_OVER = -1;

    private final SystemCalls calls;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment list;

    /** Room for so many. */
    PollList(SystemCalls calls, int most) {
        this.calls = calls;
        list = arena.allocate((long) PollFd.BYTES * most, Long.BYTES);
    }

    void put(int index, int fd) {
        long at = (long) PollFd.BYTES * index;
        list.set(JAVA_INT, at + PollFd.FD, fd);
        list.set(JAVA_SHORT, at + PollFd.EVENTS, PollFd.POLLIN);
        list.set(JAVA_SHORT, at + PollFd.REVENTS, (short) 0);
    }

    /** Waits until one of the first so many of the list is ready. A signal ends the waiting early. */
    void await(int count, int millis) throws DeviceException {
        int ready = calls.poll(list, count, millis);
        if (ready < 0 && ready != -LinuxErrno.EINTR) {
            throw new KernelException("the handover socket", "poll", -ready);
        }
    }

    boolean isReady(int index) {
        return list.get(JAVA_SHORT, (long) PollFd.BYTES * index + PollFd.REVENTS) != 0;
    }

    @Override
    public void close() {
        arena.close();
    }
}
