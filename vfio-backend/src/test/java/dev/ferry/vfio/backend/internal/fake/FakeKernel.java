// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * A kernel as the references describe it: a table of descriptors and files behind paths. Numbers are written out here,
 * so that a wrong constant of ours does not agree with itself. Looks at every field that it is given; counts what is
 * open.
 */
public final class FakeKernel implements SystemCalls {
    static final int EINTR = 4;
    private static final int O_CLOEXEC = 0x80000;

    /** One poll: of how many files, and how long it might have waited. */
    public record Poll(int count, int timeoutMillis) {}

    private final Map<String, Supplier<Object>> paths = new HashMap<>();
    private final Map<Integer, FakeFile> open = new TreeMap<>();
    private final Map<Request, Integer> refused = Collections.synchronizedMap(new EnumMap<>(Request.class));
    private final Failures failures = new Failures();
    private final FakeSockets sockets = new FakeSockets(this);
    public final List<String> log = new ArrayList<>();
    /** Requests that were made, and reached what they are for. */
    public final Set<Request> asked = Collections.synchronizedSet(EnumSet.noneOf(Request.class));
    /** Polls of devices' data descriptors, and pauses. */
    public final List<Poll> polls = Collections.synchronizedList(new ArrayList<>());
    /** Where descriptors that arrive from another process are shown; null: nowhere. */
    Path proc;
    private int next = 100;
    private int interrupts;

    /** What opening a path gives: a {@link FakeFile}, or an errno. */
    synchronized void path(String path, Supplier<Object> file) {
        paths.put(path, file);
    }

    /** Gives an open file a number. */
    public synchronized int install(FakeFile file) {
        if (!open.containsValue(file)) {
            file.opened();
        }
        open.put(next, file);
        return next++;
    }

    /** What the kernel does for a process that was killed. */
    public void closeAll() {
        for (int fd : open.keySet().stream().toList()) {
            close(fd);
        }
    }

    /** How many descriptors are open. */
    public synchronized int openFiles() {
        return open.size();
    }

    synchronized FakeFile file(int fd) {
        return open.get(fd);
    }

    synchronized boolean isOpen(FakeFile file) {
        return open.containsValue(file);
    }

    /** A request fails from now on, before anything of it is done or written; with 0 it is answered again. */
    public void refuse(Request request, int errno) {
        refused.put(request, errno);
    }

    int answer(Request request, IntSupplier answer) {
        asked.add(request);
        int errno = refused.getOrDefault(request, 0);
        return errno != 0 ? -errno : answer.getAsInt();
    }

    /** So many of the next reads, writes and polls are interrupted by a signal. */
    public synchronized void interruptNext(int count) {
        interrupts = count;
    }

    private synchronized boolean isInterrupted() {
        return interrupts > 0 && interrupts-- > 0;
    }

    /** See {@link Failures#fail}. */
    public void fail(int number, int errno, int then) {
        failures.fail(number, errno, then);
    }

    /** How many calls were made since {@link #fail}. */
    public int made() {
        return failures.made();
    }

    /** The name of the call that failed. */
    public String failed() {
        return failures.failed();
    }

    /** What an open file answers, unless the call is to fail. */
    private long call(String name, int fd, ToLongFunction<FakeFile> answer) {
        int errno = failures.of(name);
        if (errno != 0) {
            return -errno;
        }
        FakeFile file = file(fd);
        return file == null ? -FakeFile.EBADF : answer.applyAsLong(file);
    }

    @Override
    public synchronized int open(String path, int flags) {
        int errno = failures.of("open");
        return errno != 0 ? -errno : opened(path, flags);
    }

    private int opened(String path, int flags) {
        log.add("open " + path);
        if ((flags & O_CLOEXEC) == 0 || (flags & 3) != 2) {
            throw new AssertionError("descriptors must be read-write and closed on exec: " + flags);
        }
        Supplier<Object> file = paths.get(path);
        Object opened = file == null ? (Object) FakeFile.ENOENT : file.get();
        return opened instanceof Integer errno ? -errno : install((FakeFile) opened);
    }

    @Override
    public int close(int fd) {
        FakeFile file;
        boolean last;
        synchronized (this) {
            file = open.remove(fd);
            last = !open.containsValue(file);
            notifyAll();
        }
        if (file == null) {
            throw new AssertionError("closed twice, or never open: " + fd);
        }
        if (last) {
            file.close();
        }
        return -failures.of("close");
    }

    /** Another number of an open file, as one process gives it to another. */
    public synchronized int dup(int fd) {
        return install(open.get(fd));
    }

    @Override
    public synchronized int kcmp(int first, int second) {
        return answer(Request.KCMP, () -> !open.containsKey(first) || !open.containsKey(second) ? -FakeFile.EBADF
                : open.get(first) == open.get(second) ? 0 : 1);
    }

    @Override
    public int ioctl(int fd, int request, MemorySegment argument) {
        return (int) call("ioctl", fd, file -> file.ioctl(request, argument));
    }

    @Override
    public int ioctl(int fd, int request, long argument) {
        return (int) call("ioctl", fd, file -> file.ioctl(request, argument));
    }

    @Override
    public long read(int fd, MemorySegment into) {
        return call("read", fd, file -> isInterrupted() ? -EINTR : file.read(into));
    }

    @Override
    public long write(int fd, MemorySegment from) {
        return call("write", fd, file -> isInterrupted() ? -EINTR : file.write(from));
    }

    @Override
    public long pread(int fd, MemorySegment into, long offset) {
        return call("pread", fd, file -> file.pread(into, offset));
    }

    @Override
    public long pwrite(int fd, MemorySegment from, long offset) {
        return call("pwrite", fd, file -> file.pwrite(from, offset));
    }

    /** Only a poll that looks at sockets waits: no other file becomes ready by itself. */
    @Override
    public synchronized int poll(MemorySegment fds, int count, int timeoutMillis) {
        boolean waits = Polled.hasSocket(open, fds, count);
        if (!waits) {
            polls.add(new Poll(count, timeoutMillis));
        }
        int errno = waits || count == 0 ? 0 : failures.of("poll");
        if (errno != 0) {
            return -errno;
        }
        if (isInterrupted()) {
            return -EINTR;
        }
        int ready = Polled.look(open, fds, count);
        if (ready == 0 && waits) {
            try {
                wait(Math.max(1, timeoutMillis));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return -EINTR;
            }
            ready = Polled.look(open, fds, count);
        }
        return ready;
    }

    /** Another process connects to a socket of ours. */
    public FakePeer connect(Path path, int user) {
        return sockets.connect(path, user);
    }

    @Override
    public int socket(int domain, int type, int protocol) {
        return sockets.socket(domain, type, protocol);
    }

    @Override
    public int bind(int fd, MemorySegment address) {
        return sockets.bind(fd, address);
    }

    @Override
    public int connect(int fd, MemorySegment address) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int listen(int fd, int backlog) {
        return sockets.listen(fd, backlog);
    }

    @Override
    public int accept(int fd, int flags) {
        return answer(Request.ACCEPT, () -> sockets.accept(fd, flags));
    }

    @Override
    public int getsockopt(int fd, int level, int option, MemorySegment value) {
        return answer(Request.PEER_CREDENTIALS, () -> sockets.getsockopt(fd, level, option, value));
    }

    @Override
    public long sendmsg(int fd, MemorySegment header, int flags) {
        return answer(Request.SEND, () -> sockets.sendmsg(fd, header, flags));
    }

    @Override
    public long recvmsg(int fd, MemorySegment header, int flags) {
        return sockets.recvmsg(fd, header, flags);
    }

    @Override
    public int pageSize() {
        return 4096;
    }

    @Override
    public int effectiveUser() {
        return 1000;
    }
}
