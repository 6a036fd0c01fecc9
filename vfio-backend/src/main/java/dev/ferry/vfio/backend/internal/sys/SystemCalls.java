// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

import java.lang.foreign.MemorySegment;

/**
 * The system calls that this bundle makes: the one seam between it and the kernel.
 *
 * <p>Every call gives what the kernel gives: 0 or more, or the negated error number. Nothing is retried, nothing is
 * interpreted, nothing is thrown but for programming errors. Segments are native memory. Thread-safe.
 */
public interface SystemCalls {

    /** {@code open(2)}; the new descriptor. */
    int open(String path, int flags);

    /** {@code close(2)}. Never call it again for the same number, whatever it gives. */
    int close(int fd);

    /** {@code ioctl(2)} with a pointer; {@link MemorySegment#NULL} for none. */
    int ioctl(int fd, int request, MemorySegment argument);

    /** {@code ioctl(2)} with a number. */
    int ioctl(int fd, int request, long argument);

    /** {@code read(2)} into the whole segment. */
    long read(int fd, MemorySegment into);

    /** {@code write(2)} of the whole segment. */
    long write(int fd, MemorySegment from);

    /** {@code pread(2)}. */
    long pread(int fd, MemorySegment into, long offset);

    /** {@code pwrite(2)}. */
    long pwrite(int fd, MemorySegment from, long offset);

    /**
     * {@code poll(2)}.
     *
     * @param fds an array of {@code struct pollfd}
     * @param timeoutMillis 0 or more; never endless
     */
    int poll(MemorySegment fds, int count, int timeoutMillis);

    /** {@code kcmp(2)} of two descriptors of this process: 0 when both are one open file, 1 to 3 when they are not. */
    int kcmp(int first, int second);

    /** {@code socket(2)}; the new descriptor. */
    int socket(int domain, int type, int protocol);

    /** {@code bind(2)}. */
    int bind(int fd, MemorySegment address);

    /** {@code connect(2)}. */
    int connect(int fd, MemorySegment address);

    /** {@code listen(2)}. */
    int listen(int fd, int backlog);

    /** {@code accept4(2)} without the peer's address; the new descriptor. */
    int accept(int fd, int flags);

    /** {@code getsockopt(2)} of an option as long as the segment. */
    int getsockopt(int fd, int level, int option, MemorySegment value);

    /** {@code sendmsg(2)} of a {@code struct msghdr}. */
    long sendmsg(int fd, MemorySegment header, int flags);

    /** {@code recvmsg(2)} into a {@code struct msghdr}. */
    long recvmsg(int fd, MemorySegment header, int flags);

    /** {@code getpagesize(3)}, in bytes. */
    int pageSize();

    /** {@code geteuid(2)}, unsigned; cannot fail. */
    int effectiveUser();
}
