// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static dev.ferry.vfio.backend.internal.fake.FakeDmaLog.memory;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The calls on UNIX sockets of whole messages. Demands that nothing of them is inherited by a program that is run. */
final class FakeSockets {
    private static final int SEQPACKET = 5;
    private static final int CLOEXEC = 0x80000;
    private static final int ENOENT = 2;
    private static final int EAGAIN = 11;
    private static final int EPIPE = 32;
    private static final int ECONNREFUSED = 111;
    private static final int EADDRINUSE = 98;
    private static final int DONTWAIT = 0x40;
    private static final int NOSIGNAL = 0x4000;
    private static final int CMSG_CLOEXEC = 0x40000000;
    private static final int CTRUNC = 8;
    private static final int TRUNC = 0x20;

    private final FakeKernel kernel;
    private final Map<Path, FakeSocket> listening = new HashMap<>();

    FakeSockets(FakeKernel kernel) {
        this.kernel = kernel;
    }

    private static void demand(boolean held, String what) {
        if (!held) {
            throw new AssertionError(what);
        }
    }

    private FakeSocket socket(int fd) {
        return (FakeSocket) kernel.file(fd);
    }

    int socket(int domain, int type, int protocol) {
        demand(domain == 1 && (type & 0xF) == SEQPACKET && protocol == 0, "a UNIX socket of whole messages");
        demand((type & CLOEXEC) != 0, "a socket is closed on exec");
        return kernel.install(new FakeSocket(kernel));
    }

    int bind(int fd, MemorySegment address) {
        demand(address.get(JAVA_SHORT, 0) == 1, "an address of the UNIX family");
        Path path = Path.of(address.getString(2));
        if (Files.exists(path)) {
            return -EADDRINUSE;
        }
        if (!Files.isDirectory(path.getParent())) {
            return -ENOENT;
        }
        try {
            Files.createFile(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        socket(fd).path = path;
        return 0;
    }

    int listen(int fd, int backlog) {
        demand(backlog > 0, "room for those who wait");
        synchronized (kernel) {
            socket(fd).listens = true;
            listening.put(socket(fd).path, socket(fd));
        }
        return 0;
    }

    int accept(int fd, int flags) {
        demand((flags & CLOEXEC) != 0, "an accepted socket is closed on exec");
        synchronized (kernel) {
            FakeSocket accepted = socket(fd).waiting.poll();
            return accepted == null ? -EAGAIN : kernel.install(accepted);
        }
    }

    int getsockopt(int fd, int level, int option, MemorySegment value) {
        demand(level == 1 && option == 17 && value.byteSize() == 12, "SO_PEERCRED and struct ucred");
        value.set(JAVA_INT, 0, 4321);
        value.set(JAVA_INT, 4, socket(fd).peerUser);
        value.set(JAVA_INT, 8, 5432);
        return 0;
    }

    /** The other process, which is the test's. */
    FakePeer connect(Path path, int user) {
        synchronized (kernel) {
            FakeSocket listener = listening.get(path);
            demand(listener != null && kernel.isOpen(listener), "nobody listens at " + path + ": " + ECONNREFUSED);
            FakeSocket ours = new FakeSocket(kernel);
            FakeSocket theirs = new FakeSocket(kernel);
            ours.other = theirs;
            theirs.other = ours;
            ours.peerUser = user;
            listener.waiting.add(ours);
            kernel.notifyAll();
            return new FakePeer(theirs);
        }
    }

    int sendmsg(int fd, MemorySegment header, int flags) {
        demand((flags & (NOSIGNAL | DONTWAIT)) == (NOSIGNAL | DONTWAIT), "no signal, and no waiting for a reader");
        demand(header.get(JAVA_LONG, 40) == 0, "descriptors are received here, not sent");
        synchronized (kernel) {
            FakeSocket other = socket(fd).other;
            if (other == null) {
                return -EPIPE;
            }
            byte[] bytes = vector(header).toArray(JAVA_BYTE);
            other.arrived.add(new FakeSocket.Message(bytes, List.of()));
            kernel.notifyAll();
            return bytes.length;
        }
    }

    private static MemorySegment vector(MemorySegment header) {
        demand(header.byteSize() == 56 && header.get(JAVA_LONG, 24) == 1, "a message of one part");
        MemorySegment vector = memory(header.get(JAVA_LONG, 16), 16);
        return memory(vector.get(JAVA_LONG, 0), vector.get(JAVA_LONG, 8));
    }

    int recvmsg(int fd, MemorySegment header, int flags) {
        demand((flags & CMSG_CLOEXEC) != 0, "received descriptors are closed on exec");
        demand((flags & DONTWAIT) != 0, "a receiver does not wait");
        synchronized (kernel) {
            FakeSocket socket = socket(fd);
            FakeSocket.Message message = socket.arrived.poll();
            if (message == null) {
                header.set(JAVA_LONG, 40, 0);
                return socket.other == null ? 0 : -EAGAIN;
            }
            MemorySegment into = vector(header);
            int count = (int) Math.min(into.byteSize(), message.bytes().length);
            MemorySegment.copy(message.bytes(), 0, into, JAVA_BYTE, 0, count);
            int lost = count < message.bytes().length ? TRUNC : 0;
            header.set(JAVA_INT, 48, CMSG_CLOEXEC | lost | giveFiles(header, message.files()));
            return count;
        }
    }

    private int giveFiles(MemorySegment header, List<FakeFile> files) {
        long room = header.get(JAVA_LONG, 40);
        int count = (int) Math.min(files.size(), Math.max(0, (room - 16) / 4));
        if (count == 0) {
            header.set(JAVA_LONG, 40, 0);
            return files.isEmpty() ? 0 : CTRUNC;
        }
        MemorySegment control = memory(header.get(JAVA_LONG, 32), room);
        control.set(JAVA_LONG, 0, 16 + 4L * count);
        control.set(JAVA_INT, 8, 1);
        control.set(JAVA_INT, 12, 1);
        for (int i = 0; i < count; i++) {
            int fd = kernel.install(files.get(i));
            show(fd);
            control.set(JAVA_INT, 16 + 4L * i, fd);
        }
        header.set(JAVA_LONG, 40, Math.min(room, (16 + 4L * count + 7) / 8 * 8));
        return count < files.size() ? CTRUNC : 0;
    }

    /** Shows a descriptor as a file of no kind that a program could take for a character device. */
    private void show(int fd) {
        Path proc = kernel.proc;
        if (proc != null) {
            try {
                Files.createDirectories(proc.resolve("fd"));
                Files.createDirectories(proc.resolve("fdinfo"));
                Files.writeString(proc.resolve("fd/" + fd), "");
                Files.writeString(proc.resolve("fdinfo/" + fd), "pos:\t0\nflags:\t02000002\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
