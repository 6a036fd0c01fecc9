// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static dev.ferry.vfio.backend.internal.uapi.LinuxErrno.EAGAIN;
import static dev.ferry.vfio.backend.internal.uapi.LinuxErrno.EINTR;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.Posix.PollFd;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The kernel's data descriptor of one session, used within time limits: some kernel drivers let a reader wait until the
 * device has given its data. Gives negated error numbers, as {@link SystemCalls} do; one caller at a time, {@link
 * #close} from any thread.
 */
final class DataDescriptor implements AutoCloseable {
    private static final int PAUSE_MILLIS = 1;

    private static final String POLL = "poll";

    private final SystemCalls calls;
    private final Descriptor descriptor;
    private Optional<String> called = Optional.empty();

    /** Takes over the descriptor that a request for a state gave. */
    DataDescriptor(SystemCalls calls, int fd) {
        this.calls = calls;
        this.descriptor = new Descriptor(calls, fd);
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /** The call that gave the last result; empty when none did, as the descriptor was closed before the first. */
    Optional<String> called() {
        return called;
    }

    /** Reads; {@code -EAGAIN} when there was nothing to read within the time. */
    long read(MemorySegment into, MemorySegment poll, int waitMillis) {
        return transfer(PollFd.POLLIN, "read", poll, waitMillis, fd -> calls.read(fd, into));
    }

    /** Writes; {@code -EAGAIN} when the device took nothing within the time. */
    long write(MemorySegment from, MemorySegment poll, int waitMillis) {
        return transfer(PollFd.POLLOUT, "write", poll, waitMillis, fd -> calls.write(fd, from));
    }

    private long transfer(short events, String call, MemorySegment poll, int waitMillis, Descriptor.Use transfer) {
        called = Optional.empty();
        return descriptor.use(fd -> transfer(fd, events, call, poll, waitMillis, transfer));
    }

    private long transfer(
            int fd, short events, String call, MemorySegment poll, int waitMillis, Descriptor.Use transfer) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
        int rest = waitMillis;
        while (true) {
            called = Optional.of(POLL);
            long result = await(fd, events, poll, rest);
            if (result > 0) {
                called = Optional.of(call);
                result = transfer.with(fd);
                if (result == -EAGAIN && waitMillis > 0) {
                    calls.poll(poll, 0, PAUSE_MILLIS); // it said it was ready, and would say so again at once
                }
            }
            if (result != -EINTR && result != -EAGAIN) {
                return result;
            }
            rest = (int) TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (rest <= 0) {
                return -EAGAIN;
            }
        }
    }

    /** 1 when the descriptor is ready, an error of its own included, which the transfer then meets. */
    private long await(int fd, short events, MemorySegment poll, int waitMillis) {
        poll.set(JAVA_INT, PollFd.FD, fd);
        poll.set(JAVA_SHORT, PollFd.EVENTS, events);
        poll.set(JAVA_SHORT, PollFd.REVENTS, (short) 0);
        int ready = calls.poll(poll, 1, waitMillis);
        return ready == 0 ? -EAGAIN : ready;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
