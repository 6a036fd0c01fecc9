// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

import static dev.ferry.vfio.backend.internal.uapi.LinuxErrno.ENODEV;

/**
 * A file descriptor with one owner, closed exactly once and never while a call uses it: a number that was closed may be
 * another file's a moment later.
 *
 * <p>Thread-safe. {@link #close} from another thread lets calls that are under way end and closes behind the last.
 */
public final class Descriptor implements AutoCloseable {

    /** A call with the number; gives what {@link SystemCalls} give. */
    @FunctionalInterface
    public interface Use {
        /** Makes the call. */
        long with(int fd);
    }

    private final SystemCalls calls;
    private final int fd;
    private int users;
    private boolean closed;

    /** Takes over an open descriptor, 0 or more. */
    public Descriptor(SystemCalls calls, int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("not a descriptor: " + fd);
        }
        this.calls = calls;
        this.fd = fd;
    }

    /** Makes a call, again when a signal interrupted it; {@code -ENODEV} without one when the descriptor is closed. */
    public long use(Use call) {
        synchronized (this) {
            if (closed) {
                return -ENODEV;
            }
            users++;
        }
        try {
            return Interrupts.retry(() -> call.with(fd));
        } finally {
            release();
        }
    }

    private void release() {
        boolean last;
        synchronized (this) {
            users--;
            last = closed && users == 0;
        }
        if (last) {
            calls.close(fd);
        }
    }

    /** Whether both are one open file, which may have two numbers. A closed descriptor is of none. */
    public SameFile isSameFileAs(Descriptor other) {
        long order = use(one -> other.use(two -> calls.kcmp(one, two)));
        if (order == 0) {
            return SameFile.YES;
        }
        return order > 0 || order == -ENODEV ? SameFile.NO : SameFile.UNKNOWN;
    }

    /** Whether it was closed. */
    public synchronized boolean isClosed() {
        return closed;
    }

    /** Closes it, behind calls that are under way. What the kernel answers to a close helps nobody. */
    @Override
    public void close() {
        boolean now;
        synchronized (this) {
            now = !closed && users == 0;
            closed = true;
        }
        if (now) {
            calls.close(fd);
        }
    }
}
