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
import java.util.function.LongSupplier;
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
    private int made;
    private int failing = -1;
    private int failingErrno;
    private int laterErrno;
    private String failed = "";

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

    /**
     * A call that is made from now on fails, and does nothing; 0 is the next. What is closed is closed all the same.
     *
     * @param then what all further calls give, too; 0: these are answered
     */
    public synchronized void fail(int number, int errno, int then) {
        made = 0;
        failing = number;
        failingErrno = errno;
        laterErrno = then;
    }

    /** How many calls were made since {@link #fail}. */
    public synchronized int made() {
        return made;
    }

    /** The name of the call that failed. */
    public synchronized String failed() {
        return failed;
    }

    private synchronized int failure(String call) {
        int number = made++;
        if (number == failing) {
            failed = call;
        }
        return failing < 0 || number < failing ? 0 : number == failing ? failingErrno : laterErrno;
    }

    /** What the kernel does unless it is to fail. */
    private long call(String name, LongSupplier answer) {
        int errno = failure(name);
        return errno != 0 ? -errno : answer.getAsLong();
    }

    @Override
    public int open(String path, int flags) {
        return (int) call("open", () -> opened(path, flags));
    }

    private synchronized int opened(String path, int flags) {
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
        boolean last;
        synchronized (this) {
            file = open.remove(fd);
            last = !open.containsValue(file);
        }
        if (file == null) {
            throw new AssertionError("closed twice, or never open: " + fd);
        }
        if (last) {
            file.close();
        }
        return -failure("close");
    }

    /** Another number of an open file, as one process gives it to another. */
    public synchronized int dup(int fd) {
        return install(open.get(fd));
    }

    @Override
    public synchronized int kcmp(int first, int second) {
        return !open.containsKey(first) || !open.containsKey(second) ? -EBADF
                : open.get(first) == open.get(second) ? 0 : 1;
    }

    @Override
    public int ioctl(int fd, int request, MemorySegment argument) {
        FakeFile file = file(fd);
        return (int) call("ioctl", () -> file == null ? -EBADF : file.ioctl(request, argument));
    }

    @Override
    public int ioctl(int fd, int request, long argument) {
        FakeFile file = file(fd);
        return (int) call("ioctl", () -> file == null ? -EBADF : file.ioctl(request, argument));
    }

    @Override
    public long read(int fd, MemorySegment into) {
        FakeFile file = file(fd);
        return call("read", () -> isInterrupted() ? -EINTR : file == null ? -EBADF : file.read(into));
    }

    @Override
    public long write(int fd, MemorySegment from) {
        FakeFile file = file(fd);
        return call("write", () -> isInterrupted() ? -EINTR : file == null ? -EBADF : file.write(from));
    }

    @Override
    public long pread(int fd, MemorySegment into, long offset) {
        FakeFile file = file(fd);
        return call("pread", () -> file == null ? -EBADF : file.pread(into, offset));
    }

    @Override
    public long pwrite(int fd, MemorySegment from, long offset) {
        FakeFile file = file(fd);
        return call("pwrite", () -> file == null ? -EBADF : file.pwrite(from, offset));
    }

    @Override
    public int poll(MemorySegment fds, int count, int timeoutMillis) {
        return count == 0 ? 0 : (int) call("poll", () -> polled(fds));
    }

    private int polled(MemorySegment fds) {
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
