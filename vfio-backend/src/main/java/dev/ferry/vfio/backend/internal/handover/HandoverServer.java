// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.Posix.PollFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens at a UNIX socket for processes that hand devices over, on a thread of its own. A device is served for as long
 * as its connection lives.
 */
public final class HandoverServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HandoverServer.class);

    private static final int POLL_MILLIS = 100;
    private static final long STOP_WAIT_MILLIS = 5_000;
    /** Polls in a row that may fail: two seconds. */
    private static final int MOST_FAILED_POLLS = 20;

    private static final int MOST_CONNECTIONS = 64;
    private static final int ROOT_USER = 0;
    /** Instead of a descriptor: poll(2) passes over the entry. */
    private static final int PASSED_OVER = -1;

    /** Serves devices that are handed over; called on the server's thread. */
    public interface Lending {
        /** Takes over an open device, which is closed by it, also when it fails; gives the device's id. */
        String lend(FoundDevice device, OpenDevice open) throws DeviceException;

        /** A device is handed over no longer; it is used no more when this returns, and as soon as can be otherwise. */
        void takeBack(String name) throws DeviceException;

        /** The same for a device of which nobody waits to hear; does not wait. */
        void letGo(String name);
    }

    private final SystemCalls calls;
    private final SocketFile file;
    private final UnixSocket socket;
    private final Set<Integer> users;
    private final Function<UnixSocket, HandoverConnection> maker;
    private final List<HandoverConnection> connections = new ArrayList<>();
    private final Thread thread;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private boolean mayAccept = true;
    private int failedPolls;
    private volatile boolean closed;

    private HandoverServer(
            SystemCalls calls,
            SocketFile file,
            UnixSocket socket,
            Set<Integer> users,
            Function<UnixSocket, HandoverConnection> maker) {
        this.calls = calls;
        this.file = file;
        this.socket = socket;
        this.users = users;
        this.maker = maker;
        thread = new Thread(null, this::run, "ferry-vfio-handover", 0, false);
        thread.setContextClassLoader(HandoverServer.class.getClassLoader());
        thread.setDaemon(true);
    }

    /**
     * Listens.
     *
     * @param users that are let in, beside root and this process's own
     * @param root where the devices of the host are looked for; {@code /} but in tests
     * @throws IOException when there is something else at the path, or it cannot be used
     */
    public static HandoverServer open(
            SystemCalls calls, Path path, Set<Integer> users, Path root, Lending lending) throws IOException {
        SocketFile.makeRoom(calls, path);
        UnixSocket socket = UnixSocket.bind(calls, path);
        boolean done = false;
        try {
            SocketFile file = SocketFile.of(path);
            // Who may connect is decided by credentials; other users than these need not even reach that.
            Files.setPosixFilePermissions(
                    path, PosixFilePermissions.fromString(users.isEmpty() ? "rw-------" : "rw-rw-rw-"));
            socket.listen();
            DeviceFinder finder = new DeviceFinder(root);
            DeviceIdentity identity = new DeviceIdentity(root, finder);
            HandoverServer server = new HandoverServer(calls, file, socket, users, accepted ->
                    new HandoverConnection(calls, accepted, path, finder, identity, lending));
            server.thread.start();
            done = true;
            LOG.info("devices can be handed over at {}", path);
            return server;
        } finally {
            if (!done) {
                Files.deleteIfExists(path);
                socket.close();
            }
        }
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate((long) PollFd.BYTES * (MOST_CONNECTIONS + 1), Long.BYTES);
            while (!closed) {
                serve(poll);
            }
        } catch (RuntimeException e) {
            LOG.error("the handover of devices at {} ended", file.path(), e);
        } finally {
            List.copyOf(connections).forEach(this::drop);
            hide();
        }
    }

    /** Nobody finds it any more, and who waits to be let in hears that it has ended. */
    private void hide() {
        try {
            file.remove();
        } catch (IOException e) {
            LOG.warn("the socket {} stays behind: {}", file.path(), e.toString());
        }
        socket.close();
    }

    private void serve(MemorySegment poll) {
        List<HandoverConnection> asked = List.copyOf(connections);
        int ready = await(poll, asked);
        mayAccept = true;
        if (ready <= 0) {
            return;
        }
        for (int i = 0; i < asked.size(); i++) {
            if (isReady(poll, i + 1)) {
                hear(asked.get(i));
            }
        }
        if (isReady(poll, 0)) {
            welcome();
        }
    }

    private int await(MemorySegment poll, List<HandoverConnection> asked) {
        put(poll, 0, mayAccept ? socket.number() : PASSED_OVER);
        for (int i = 0; i < asked.size(); i++) {
            put(poll, i + 1, asked.get(i).number());
        }
        int ready = calls.poll(poll, asked.size() + 1, POLL_MILLIS);
        if (ready >= 0) {
            failedPolls = 0;
        } else if (ready != -LinuxErrno.EINTR) {
            pauseAfter(-ready);
        }
        return ready;
    }

    /** Memory may be short for a moment. What lasts is an end, so that nobody connects and waits for ever. */
    private void pauseAfter(int errno) {
        failedPolls++;
        if (failedPolls == MOST_FAILED_POLLS) {
            throw new IllegalStateException(
                    "poll failed (%s), %d times".formatted(LinuxErrno.name(errno), failedPolls));
        }
        if (failedPolls == 1) {
            LOG.warn("poll failed ({}) at {}; it is tried again", LinuxErrno.name(errno), file.path());
        }
        try {
            if (stopped.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.debug("{} is closed before poll works again", file.path());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does; then it fails fast
        }
    }

    private static void put(MemorySegment poll, int index, int fd) {
        long at = (long) PollFd.BYTES * index;
        poll.set(JAVA_INT, at + PollFd.FD, fd);
        poll.set(JAVA_SHORT, at + PollFd.EVENTS, PollFd.POLLIN);
        poll.set(JAVA_SHORT, at + PollFd.REVENTS, (short) 0);
    }

    private static boolean isReady(MemorySegment poll, int index) {
        return poll.get(JAVA_SHORT, (long) PollFd.BYTES * index + PollFd.REVENTS) != 0;
    }

    /** One connection that fails must not keep the others, nor end the listening. */
    private void welcome() {
        UnixSocket accepted;
        try {
            accepted = socket.accept();
        } catch (DeviceException e) {
            LOG.warn("somebody could not be let in at {}: {}", file.path(), KernelException.reason(e));
            mayAccept = false; // he still waits, and the next poll would end at once
            return;
        }
        HandoverConnection connection = maker.apply(accepted);
        connections.add(connection);
        try {
            requireAllowed(connection.user());
        } catch (DeviceException e) {
            connection.refuse(e);
            drop(connection);
        }
    }

    private void requireAllowed(int user) throws DeviceException {
        if (user != ROOT_USER && user != calls.effectiveUser() && !users.contains(user)) {
            throw new DeviceException(Errno.EACCES,
                    "user %s may not hand devices over at %s".formatted(Integer.toUnsignedString(user), file.path()));
        }
        if (connections.size() > MOST_CONNECTIONS) {
            throw new DeviceException(
                    Errno.EBUSY, MOST_CONNECTIONS + " connections hand devices over already, which is the most");
        }
    }

    private void hear(HandoverConnection connection) {
        boolean goesOn = false;
        try {
            goesOn = connection.hear();
        } catch (RuntimeException e) {
            LOG.error("a connection at {} is closed, since serving it failed", file.path(), e);
        }
        if (!goesOn) {
            drop(connection);
        }
    }

    private void drop(HandoverConnection connection) {
        connections.remove(connection);
        try {
            connection.close();
        } catch (RuntimeException e) {
            LOG.error("a device that was handed over at {} did not leave in order", file.path(), e);
        }
    }

    /**
     * Stops listening and lets go of what was handed over; waits {@value #STOP_WAIT_MILLIS} ms at most for its thread,
     * and not for the devices. Called on one thread; the second time it does nothing.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        stopped.countDown();
        try {
            thread.join(STOP_WAIT_MILLIS);
            if (thread.isAlive()) {
                LOG.warn("a device that is being handed over at {} keeps its opening waiting", file.path());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        hide();
    }
}
