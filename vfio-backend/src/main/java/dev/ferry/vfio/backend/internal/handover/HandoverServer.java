// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
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
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
    private static final int MOST_CONNECTIONS = 64;
    private static final int ROOT_USER = 0;

    /** Serves a device; what it is given is closed by it, also when it fails. */
    @FunctionalInterface
    public interface Lending {
        /** Gives the device's id. */
        String lend(FoundDevice device, OpenDevice open) throws DeviceException;
    }

    private final SystemCalls calls;
    private final Path path;
    private final UnixSocket socket;
    private final Set<Integer> users;
    private final DeviceFinder finder;
    private final Lending lending;
    private final Consumer<String> takeBack;
    private final List<HandoverConnection> connections = new ArrayList<>();
    private final Thread thread;
    private volatile boolean closed;

    private HandoverServer(
            SystemCalls calls,
            Path path,
            UnixSocket socket,
            Set<Integer> users,
            DeviceFinder finder,
            Lending lending,
            Consumer<String> takeBack) {
        this.calls = calls;
        this.path = path;
        this.socket = socket;
        this.users = users;
        this.finder = finder;
        this.lending = lending;
        this.takeBack = takeBack;
        thread = new Thread(null, this::run, "ferry-vfio-handover", 0, false);
        thread.setContextClassLoader(HandoverServer.class.getClassLoader());
        thread.setDaemon(true);
    }

    /**
     * Listens.
     *
     * @param users that are let in, beside root and this process's own
     * @param takeBack told the name of a device that is no longer handed over
     * @throws IOException when there is something else at the path, or it cannot be used
     */
    public static HandoverServer open(
            SystemCalls calls,
            Path path,
            Set<Integer> users,
            DeviceFinder finder,
            Lending lending,
            Consumer<String> takeBack)
            throws IOException {
        removeLeftOver(path);
        UnixSocket socket = UnixSocket.listen(calls, path);
        HandoverServer server = new HandoverServer(calls, path, socket, users, finder, lending, takeBack);
        try {
            // Who may connect is decided by credentials; other users than these need not even reach that.
            Files.setPosixFilePermissions(
                    path, PosixFilePermissions.fromString(users.isEmpty() ? "rw-------" : "rw-rw-rw-"));
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        server.thread.start();
        LOG.info("devices can be handed over at {}", path);
        return server;
    }

    /** A process that was killed leaves its socket; a file of another kind is somebody's. */
    private static void removeLeftOver(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path)) {
            Files.delete(path);
        }
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate((long) PollFd.BYTES * (MOST_CONNECTIONS + 1), Long.BYTES);
            while (!closed) {
                List<HandoverConnection> asked = List.copyOf(connections);
                if (await(poll, asked) > 0) {
                    for (int i = 0; i < asked.size(); i++) {
                        if (isReady(poll, i + 1)) {
                            hear(asked.get(i));
                        }
                    }
                    if (isReady(poll, 0)) {
                        welcome();
                    }
                }
            }
        } catch (RuntimeException e) {
            LOG.error("the handover of devices ended", e);
        } finally {
            List.copyOf(connections).forEach(this::drop);
        }
    }

    private int await(MemorySegment poll, List<HandoverConnection> asked) {
        put(poll, 0, socket.number());
        for (int i = 0; i < asked.size(); i++) {
            put(poll, i + 1, asked.get(i).number());
        }
        return calls.poll(poll, asked.size() + 1, POLL_MILLIS);
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

    private void welcome() {
        try {
            UnixSocket accepted = socket.accept();
            int user = accepted.peerUser();
            boolean allowed = user == ROOT_USER || user == calls.effectiveUser() || users.contains(user);
            if (allowed && connections.size() < MOST_CONNECTIONS) {
                connections.add(new HandoverConnection(calls, accepted, finder, lending, takeBack));
            } else {
                LOG.warn("user {} may not hand devices over at {}", user, path);
                accepted.close();
            }
        } catch (DeviceException e) {
            LOG.warn("somebody could not be let in at {}: {}", path, e.getMessage());
        }
    }

    private void hear(HandoverConnection connection) {
        if (!connection.hear()) {
            drop(connection);
        }
    }

    private void drop(HandoverConnection connection) {
        connections.remove(connection);
        connection.close();
    }

    /** Stops listening and gives back what was handed over. */
    @Override
    public void close() {
        closed = true;
        try {
            thread.join(STOP_WAIT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        socket.close();
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            LOG.warn("the socket {} stays behind: {}", path, e.toString());
        }
    }
}
