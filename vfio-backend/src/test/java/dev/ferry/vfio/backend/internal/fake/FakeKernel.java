// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A kernel as the references describe it: a table of descriptors and files behind paths. Numbers are written out here,
 * so that a wrong constant of ours does not agree with itself. Counts what is open.
 */
public final class FakeKernel implements SystemCalls {
    private static final int ENOENT = 2;
    private static final int EINTR = 4;
    private static final int EBADF = 9;
    private static final int O_CLOEXEC = 0x80000;

    private final Map<String, Supplier<Object>> paths = new HashMap<>();
    private final Map<Integer, FakeFile> open = new TreeMap<>();
    public final List<String> log = new ArrayList<>();
    private int next = 100;
    private int interrupts;

    /** What opening a path gives: a {@link FakeFile}, or an errno. */
    synchronized void path(String path, Supplier<Object> file) {
        paths.put(path, file);
    }

    /** Gives an open file a number. */
    public synchronized int install(FakeFile file) {
        open.put(next, file);
        return next++;
    }

    /** How many descriptors are open. */
    public synchronized int openFiles() {
        return open.size();
    }

    synchronized FakeFile file(int fd) {
        return open.get(fd);
    }

    /** So many of the next reads, writes and polls are interrupted by a signal. */
    public synchronized void interruptNext(int count) {
        interrupts = count;
    }

    private synchronized boolean isInterrupted() {
        return interrupts > 0 && interrupts-- > 0;
    }

    @Override
    public synchronized int open(String path, int flags) {
        log.add("open " + path);
        if ((flags & O_CLOEXEC) == 0 || (flags & 3) != 2) {
            throw new AssertionError("descriptors must be read-write and closed on exec: " + flags);
        }
        Supplier<Object> file = paths.get(path);
        Object opened = file == null ? (Object) ENOENT : file.get();
        return opened instanceof Integer errno ? -errno : install((FakeFile) opened);
    }

    @Override
    public int close(int fd) {
        FakeFile file;
        synchronized (this) {
            file = open.remove(fd);
        }
        if (file == null) {
            throw new AssertionError("closed twice, or never open: " + fd);
        }
        file.close();
        return 0;
    }

    @Override
    public int ioctl(int fd, int request, MemorySegment argument) {
        FakeFile file = file(fd);
        return file == null ? -EBADF : file.ioctl(request, argument);
    }

    @Override
    public int ioctl(int fd, int request, long argument) {
        FakeFile file = file(fd);
        return file == null ? -EBADF : file.ioctl(request, argument);
    }

    @Override
    public long read(int fd, MemorySegment into) {
        FakeFile file = file(fd);
        return isInterrupted() ? -EINTR : file == null ? -EBADF : file.read(into);
    }

    @Override
    public long write(int fd, MemorySegment from) {
        FakeFile file = file(fd);
        return isInterrupted() ? -EINTR : file == null ? -EBADF : file.write(from);
    }

    @Override
    public long pread(int fd, MemorySegment into, long offset) {
        FakeFile file = file(fd);
        return file == null ? -EBADF : file.pread(into, offset);
    }

    @Override
    public long pwrite(int fd, MemorySegment from, long offset) {
        FakeFile file = file(fd);
        return file == null ? -EBADF : file.pwrite(from, offset);
    }

    @Override
    public int poll(MemorySegment fds, int count, int timeoutMillis) {
        if (count == 0) {
            return 0;
        }
        FakeFile file = file(fds.get(ValueLayout.JAVA_INT, 0));
        short events = fds.get(ValueLayout.JAVA_SHORT, 4);
        if (isInterrupted()) {
            return -EINTR;
        }
        boolean ready = file == null || file.isReady();
        fds.set(ValueLayout.JAVA_SHORT, 6, ready ? events : 0);
        return ready ? 1 : 0;
    }

    @Override
    public int socket(int domain, int type, int protocol) {
        throw new UnsupportedOperationException("sockets are tested with the real kernel");
    }

    @Override
    public int bind(int fd, MemorySegment address) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int connect(int fd, MemorySegment address) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int listen(int fd, int backlog) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int accept(int fd, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int getsockopt(int fd, int level, int option, MemorySegment value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long sendmsg(int fd, MemorySegment header, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long recvmsg(int fd, MemorySegment header, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int pageSize() {
        return 4096;
    }

    @Override
    public int effectiveUser() {
        return 0;
    }
}
