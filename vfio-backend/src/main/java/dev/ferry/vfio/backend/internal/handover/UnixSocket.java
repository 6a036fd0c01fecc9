// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix;
import dev.ferry.vfio.backend.internal.uapi.Posix.CMsgHdr;
import dev.ferry.vfio.backend.internal.uapi.Posix.IoVec;
import dev.ferry.vfio.backend.internal.uapi.Posix.MsgHdr;
import dev.ferry.vfio.backend.internal.uapi.Posix.SockAddr;
import dev.ferry.vfio.backend.internal.uapi.Posix.UCred;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A UNIX socket of whole messages ({@code SOCK_SEQPACKET}) that can carry descriptors; listening or connected. */
final class UnixSocket implements AutoCloseable {
    private static final int BACKLOG = 8;
    private static final int MOST_DESCRIPTORS = 4;

    private final SystemCalls calls;
    private final Descriptor descriptor;
    private final int number;

    /** One message; closing it closes the descriptors that came with it and that nobody took. */
    static final class Message implements AutoCloseable {
        private final byte[] bytes;
        private final List<Descriptor> descriptors;

        private Message(byte[] bytes, List<Descriptor> descriptors) {
            this.bytes = bytes;
            this.descriptors = descriptors;
        }

        byte[] bytes() {
            return bytes;
        }

        /** How many descriptors there are to take. */
        int count() {
            return descriptors.size();
        }

        /** The descriptors, which are the caller's to close from now on. */
        List<Descriptor> take() {
            List<Descriptor> taken = List.copyOf(descriptors);
            descriptors.clear();
            return taken;
        }

        /** Nothing at all: the other side has closed. */
        boolean isEnd() {
            return bytes.length == 0 && descriptors.isEmpty();
        }

        @Override
        public void close() {
            take().forEach(Descriptor::close);
        }
    }

    private UnixSocket(SystemCalls calls, int number) {
        this.calls = calls;
        this.number = number;
        this.descriptor = new Descriptor(calls, number);
    }

    private static UnixSocket open(SystemCalls calls, Path path) throws DeviceException {
        int fd = calls.socket(Posix.AF_UNIX, Posix.SOCK_SEQPACKET | Posix.SOCK_CLOEXEC | Posix.SOCK_NONBLOCK, 0);
        require(fd, path.toString(), "socket");
        return new UnixSocket(calls, fd);
    }

    /** What a try to connect to the socket at a path gives, without waiting: 0 or the error number. */
    static int tryToConnect(SystemCalls calls, Path path) throws DeviceException {
        try (UnixSocket socket = open(calls, path);
                Arena arena = Arena.ofConfined()) {
            return -calls.connect(socket.number, address(arena, path));
        }
    }

    /**
     * Has a path where there is nothing yet; {@link #listen} makes it be heard.
     *
     * @throws DeviceException with a sentence that says what to do; nothing is there then that was not before
     */
    static UnixSocket bind(SystemCalls calls, Path path) throws DeviceException {
        UnixSocket socket = open(calls, path);
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            int result = calls.bind(socket.number, address(arena, path));
            if (result < 0) {
                throw new KernelException(path.toString(), "bind", -result, adviceOnBind(-result, path));
            }
            done = true;
            return socket;
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }

    private static String adviceOnBind(int errno, Path path) {
        return switch (errno) {
            case LinuxErrno.ENOENT -> "make the folder " + path.getParent();
            case LinuxErrno.EACCES, LinuxErrno.EPERM -> "give this process's user write permission for the folder "
                    + path.getParent() + ", or set handover.socket to another path";
            default -> "";
        };
    }

    /** Lets others connect. */
    void listen() throws DeviceException {
        require(descriptor.use(fd -> calls.listen(fd, BACKLOG)), "the handover socket", "listen");
    }

    static MemorySegment address(Arena arena, Path path) {
        byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        MemorySegment address = arena.allocate(SockAddr.BYTES, Long.BYTES);
        address.set(JAVA_SHORT, SockAddr.FAMILY, (short) Posix.AF_UNIX);
        MemorySegment.copy(bytes, 0, address, JAVA_BYTE, SockAddr.PATH, bytes.length);
        return address;
    }

    private static void require(long result, String where, String call) throws DeviceException {
        if (result < 0) {
            throw new KernelException(where, call, (int) -result);
        }
    }

    /** For a poll beside others. */
    int number() {
        return number;
    }

    /** The next connection; there must be one waiting. */
    UnixSocket accept() throws DeviceException {
        long fd = descriptor.use(open -> calls.accept(open, Posix.SOCK_CLOEXEC));
        require(fd, "the handover socket", "accept");
        return new UnixSocket(calls, (int) fd);
    }

    /** The number of the user on the other side, vouched for by the kernel. */
    int peerUser() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment credentials = arena.allocate(UCred.BYTES, Long.BYTES);
            require(descriptor.use(fd -> calls.getsockopt(fd, Posix.SOL_SOCKET, Posix.SO_PEERCRED, credentials)),
                    "the handover socket", "getsockopt SO_PEERCRED");
            return credentials.get(JAVA_INT, UCred.UID);
        }
    }

    /** Sends a line; does not wait for a reader who does not read. */
    void send(String line) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(line, StandardCharsets.US_ASCII).asSlice(0, line.length());
            MemorySegment header = header(arena, bytes);
            require(descriptor.use(fd -> calls.sendmsg(fd, header, Posix.MSG_NOSIGNAL | Posix.MSG_DONTWAIT)),
                    "the handover socket", "sendmsg");
        }
    }

    private static MemorySegment header(Arena arena, MemorySegment bytes) {
        MemorySegment vector = arena.allocate(IoVec.BYTES, Long.BYTES);
        vector.set(ADDRESS, IoVec.BASE, bytes);
        vector.set(JAVA_LONG, IoVec.LEN, bytes.byteSize());
        MemorySegment header = arena.allocate(MsgHdr.BYTES, Long.BYTES);
        header.set(ADDRESS, MsgHdr.IOV, vector);
        header.set(JAVA_LONG, MsgHdr.IOVLEN, 1);
        return header;
    }

    /**
     * Receives one message that is waiting.
     *
     * @throws DeviceException EINVAL for one that is too long or has too many descriptors; those are closed
     */
    Message receive(int mostBytes) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(mostBytes, Long.BYTES);
            MemorySegment control = arena.allocate(CMsgHdr.DATA + MOST_DESCRIPTORS * Integer.BYTES, Long.BYTES);
            MemorySegment header = header(arena, bytes);
            header.set(ADDRESS, MsgHdr.CONTROL, control);
            header.set(JAVA_LONG, MsgHdr.CONTROLLEN, control.byteSize());
            long count = descriptor.use(fd ->
                    calls.recvmsg(fd, header, Posix.MSG_CMSG_CLOEXEC | Posix.MSG_DONTWAIT));
            require(count, "the handover socket", "recvmsg");
            Message message = new Message(
                    bytes.asSlice(0, count).toArray(JAVA_BYTE),
                    descriptors(control.asSlice(0, header.get(JAVA_LONG, MsgHdr.CONTROLLEN))));
            if ((header.get(JAVA_INT, MsgHdr.FLAGS) & (Posix.MSG_TRUNC | Posix.MSG_CTRUNC)) != 0) {
                message.close();
                throw new DeviceException(Errno.EINVAL, "the message is too long, or has too many descriptors");
            }
            return message;
        }
    }

    private List<Descriptor> descriptors(MemorySegment control) {
        List<Descriptor> received = new ArrayList<>();
        long at = 0;
        while (at + CMsgHdr.DATA <= control.byteSize()) {
            long length = control.get(JAVA_LONG, at + CMsgHdr.LEN);
            if (length < CMsgHdr.DATA || at + length > control.byteSize()) {
                break;
            }
            boolean rights = control.get(JAVA_INT, at + CMsgHdr.LEVEL) == Posix.SOL_SOCKET
                    && control.get(JAVA_INT, at + CMsgHdr.TYPE) == Posix.SCM_RIGHTS;
            for (long fd = at + CMsgHdr.DATA; rights && fd + Integer.BYTES <= at + length; fd += Integer.BYTES) {
                received.add(new Descriptor(calls, control.get(JAVA_INT, fd)));
            }
            at += (length + CMsgHdr.ALIGNMENT - 1) / CMsgHdr.ALIGNMENT * CMsgHdr.ALIGNMENT;
        }
        return received;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
