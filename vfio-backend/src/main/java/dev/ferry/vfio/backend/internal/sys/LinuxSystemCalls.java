// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.vfio.backend.internal.uapi.Posix.Kcmp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * System calls through the C library: the only native code of this bundle.
 *
 * <p>Errno is stored into small segments that are handed around among threads instead of being taken from the allocator
 * for every call; there are as many as ever were in a call at once, and they go with this object.
 */
public final class LinuxSystemCalls implements SystemCalls {

    @FunctionalInterface
    private interface Call {
        long make(MemorySegment state) throws Throwable;
    }

    private final Arena arena = Arena.ofAuto();
    private final ConcurrentLinkedDeque<MemorySegment> states = new ConcurrentLinkedDeque<>();
    private final int pageSize;

    /** Binds the functions; needs {@code --enable-native-access}, without which newer Java releases warn. */
    public LinuxSystemCalls() {
        pageSize = Libc.pageSize();
    }

    private long make(Call call) {
        MemorySegment state = states.pollFirst();
        if (state == null) {
            state = newState();
        }
        try {
            long result = call.make(state);
            return result >= 0 ? result : -Libc.errno(state);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a native call threw", e);
        } finally {
            states.addFirst(state);
        }
    }

    private MemorySegment newState() {
        return arena.allocate(Libc.CALL_STATE);
    }

    @Override
    public int open(String path, int flags) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment name = call.allocateFrom(path);
            return (int) make(state -> (int) Libc.OPEN.invokeExact(state, name, flags));
        }
    }

    @Override
    public int close(int fd) {
        return (int) make(state -> (int) Libc.CLOSE.invokeExact(state, fd));
    }

    @Override
    public int ioctl(int fd, int request, MemorySegment argument) {
        return (int) make(state -> (int) Libc.IOCTL_POINTER.invokeExact(state, fd, (long) request, argument));
    }

    @Override
    public int ioctl(int fd, int request, long argument) {
        return (int) make(state -> (int) Libc.IOCTL_NUMBER.invokeExact(state, fd, (long) request, argument));
    }

    @Override
    public long read(int fd, MemorySegment into) {
        return make(state -> (long) Libc.READ.invokeExact(state, fd, into, into.byteSize()));
    }

    @Override
    public long write(int fd, MemorySegment from) {
        return make(state -> (long) Libc.WRITE.invokeExact(state, fd, from, from.byteSize()));
    }

    @Override
    public long pread(int fd, MemorySegment into, long offset) {
        return make(state -> (long) Libc.PREAD.invokeExact(state, fd, into, into.byteSize(), offset));
    }

    @Override
    public long pwrite(int fd, MemorySegment from, long offset) {
        return make(state -> (long) Libc.PWRITE.invokeExact(state, fd, from, from.byteSize(), offset));
    }

    @Override
    public int poll(MemorySegment fds, int count, int timeoutMillis) {
        return (int) make(state -> (int) Libc.POLL.invokeExact(state, fds, (long) count, timeoutMillis));
    }

    @Override
    public int kcmp(int first, int second) {
        int process = (int) ProcessHandle.current().pid();
        return (int) make(state -> (long) Libc.SYSCALL_KCMP.invokeExact(
                state, Libc.KCMP_NUMBER, process, process, Kcmp.FILE, (long) first, (long) second));
    }

    @Override
    public int socket(int domain, int type, int protocol) {
        return (int) make(state -> (int) LibcSockets.SOCKET.invokeExact(state, domain, type, protocol));
    }

    @Override
    public int bind(int fd, MemorySegment address) {
        return (int) make(state -> (int) LibcSockets.BIND.invokeExact(state, fd, address, (int) address.byteSize()));
    }

    @Override
    public int connect(int fd, MemorySegment address) {
        return (int) make(state ->
                (int) LibcSockets.CONNECT.invokeExact(state, fd, address, (int) address.byteSize()));
    }

    @Override
    public int listen(int fd, int backlog) {
        return (int) make(state -> (int) LibcSockets.LISTEN.invokeExact(state, fd, backlog));
    }

    @Override
    public int accept(int fd, int flags) {
        return (int) make(state ->
                (int) LibcSockets.ACCEPT.invokeExact(state, fd, MemorySegment.NULL, MemorySegment.NULL, flags));
    }

    @Override
    public int getsockopt(int fd, int level, int option, MemorySegment value) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment length = call.allocateFrom(JAVA_INT, (int) value.byteSize());
            return (int) make(state -> (int) LibcSockets.GETSOCKOPT.invokeExact(state, fd, level, option, value,
                    length));
        }
    }

    @Override
    public long sendmsg(int fd, MemorySegment header, int flags) {
        return make(state -> (long) LibcSockets.SENDMSG.invokeExact(state, fd, header, flags));
    }

    @Override
    public long recvmsg(int fd, MemorySegment header, int flags) {
        return make(state -> (long) LibcSockets.RECVMSG.invokeExact(state, fd, header, flags));
    }

    @Override
    public int pageSize() {
        return pageSize;
    }

    @Override
    public int effectiveUser() {
        return Libc.effectiveUser();
    }
}
