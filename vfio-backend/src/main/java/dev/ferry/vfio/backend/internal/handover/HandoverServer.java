// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    /** While a device is on its way back, whose arrival no descriptor tells. */
    private static final int RETURN_POLL_MILLIS = 10;
    private static final long STOP_WAIT_MILLIS = 5_000;
    /** Failures in a row that are borne: two seconds. */
    private static final int MOST_FAILURES = 20;

    private static final int MOST_CONNECTIONS = 64;

    private final SystemCalls calls;
    private final SocketFile file;
    private final UnixSocket socket;
    private final Function<UnixSocket, HandoverConnection> maker;
    private final Admission admission;
    private final List<HandoverConnection> connections = new ArrayList<>();
    private final Thread thread;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private boolean mayAccept = true;
    private int failures;
    private volatile boolean closed;

    private HandoverServer(
            SystemCalls calls,
            SocketFile file,
            UnixSocket socket,
            Function<UnixSocket, HandoverConnection> maker) {
        this.calls = calls;
        this.file = file;
        this.socket = socket;
        this.maker = maker;
        admission = new Admission(calls.effectiveUser());
        thread = new Thread(null, this::run, "ferry-vfio-handover", 0, false);
        thread.setContextClassLoader(HandoverServer.class.getClassLoader());
        thread.setDaemon(true);
    }

    /**
     * Listens.
     *
     * @param users that are let in, beside root and this process's own
     * @param root where the devices of the host are looked for; {@code /} but in tests
     * @throws IOException when there is something else at the path, or it cannot be used; nothing stays open then
     */
    public static HandoverServer open(
            SystemCalls calls, Path path, Set<Integer> users, Path root, Lending lending) throws IOException {
        SocketFile.makeRoom(calls, path);
        UnixSocket socket = UnixSocket.bind(calls, path);
        HandoverServer server;
        try {
            DeviceFinder finder = new DeviceFinder(root);
            DeviceIdentity identity = new DeviceIdentity(root, finder);
            server = new HandoverServer(calls, SocketFile.of(path), socket, accepted ->
                    new HandoverConnection(calls, accepted, path, finder, identity, lending));
            server.admit(users);
            socket.listen();
            server.thread.start();
        } catch (Throwable e) {
            try (socket) {
                Files.deleteIfExists(path);
            } catch (IOException | RuntimeException later) {
                e.addSuppressed(later);
            }
            throw e;
        }
        LOG.info("devices can be handed over at {}", path);
        return server;
    }

    /** Where it listens. */
    public Path path() {
        return file.path();
    }

    /** Whether anybody is still heard; it may end by itself when its calls fail for good. */
    public boolean isAlive() {
        return thread.isAlive();
    }

    /**
     * Lets these users in from now on, instead of those before; connections and devices that are lent stay. Called at
     * every scan: of strangers the log is told again from now on.
     *
     * @throws IOException when the socket's mode cannot be changed; ask again then
     */
    public void admit(Set<Integer> others) throws IOException {
        admission.admit(others);
        file.letReach(!others.isEmpty());
    }

    private void run() {
        try (PollList poll = new PollList(calls, MOST_CONNECTIONS + 1)) {
            while (!closed) {
                tryToServe(poll);
            }
        } catch (Throwable e) {
            LOG.error("the handover of devices at {} ended", file.path(), e);
        } finally {
            try {
                List.copyOf(connections).forEach(this::drop);
            } finally {
                hide();
            }
        }
    }

    /** Nobody finds it any more, and who waits to be let in hears that it has ended. */
    private void hide() {
        try (socket) {
            file.remove();
        } catch (IOException e) {
            LOG.warn("cannot remove the socket {}: {}", file.path(), e.toString());
        }
    }

    /** Memory may be short for a moment. What lasts is an end, so that nobody connects and waits for ever. */
    private void tryToServe(PollList poll) throws DeviceException {
        try {
            serve(poll);
            failures = 0;
        } catch (Throwable e) {
            failures++;
            if (failures == MOST_FAILURES) {
                throw e;
            }
            if (failures == 1) {
                LOG.warn("serving {} failed; it is tried again", file.path(), e);
            }
            pause();
        }
    }

    private void pause() {
        try {
            if (stopped.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.debug("{} is closed before it works again", file.path());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does; then it fails fast
        }
    }

    private void serve(PollList poll) throws DeviceException {
        List<HandoverConnection> asked = List.copyOf(connections);
        poll.put(0, mayAccept ? socket.number() : PollList.PASSED_OVER);
        boolean returning = false;
        for (int i = 0; i < asked.size(); i++) {
            poll.put(i + 1, asked.get(i).isReturning() ? PollList.PASSED_OVER : asked.get(i).number());
            returning |= asked.get(i).isReturning();
        }
        poll.await(asked.size() + 1, returning ? RETURN_POLL_MILLIS : POLL_MILLIS);
        mayAccept = true;
        for (int i = 0; i < asked.size(); i++) {
            if (asked.get(i).isReturning() || poll.isReady(i + 1)) {
                attend(asked.get(i));
            }
        }
        if (poll.isReady(0)) {
            welcome();
        }
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
        boolean letIn = false;
        try {
            letIn = letIn(maker.apply(accepted));
        } finally {
            if (!letIn) {
                accepted.close();
            }
        }
    }

    private boolean letIn(HandoverConnection connection) {
        try {
            int user = connection.user();
            if (!admission.isOpenTo(user)) {
                return connection.refuse(stranger(user), admission.isNews(user));
            }
            if (connections.size() == MOST_CONNECTIONS) {
                throw new DeviceException(
                        Errno.EBUSY, MOST_CONNECTIONS + " connections hand devices over already, which is the most");
            }
            return connections.add(connection);
        } catch (DeviceException e) {
            return connection.refuse(e);
        }
    }

    private DeviceException stranger(int user) {
        return new DeviceException(Errno.EACCES,
                "user %s may not hand devices over at %s".formatted(Integer.toUnsignedString(user), file.path()));
    }

    private void attend(HandoverConnection connection) {
        boolean goesOn = false;
        try {
            goesOn = connection.isReturning() ? connection.answerReturn() : connection.hear();
        } catch (Throwable e) {
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
        } catch (Throwable e) {
            LOG.error("a device that was handed over at {} did not leave in order", file.path(), e);
        }
    }

    /**
     * Stops listening and lets go of what was handed over; who waits for a device hears whether it has arrived. Waits
     * {@value #STOP_WAIT_MILLIS} ms at most for its thread, and not for the devices. Called on one thread; the second
     * time it does nothing.
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
                LOG.warn("opening the device handed over at {} has not returned yet", file.path());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        hide();
    }
}
