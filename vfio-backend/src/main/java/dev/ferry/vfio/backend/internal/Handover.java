// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.handover.HandoverServer;
import dev.ferry.vfio.backend.internal.handover.Lending;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The handover of devices as it is configured: keeps a server at the configured path, for the configured users. It is
 * looked at again at every scan, since what kept a socket from being opened may have gone, and a server may end by
 * itself. Thread-safe.
 */
final class Handover implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Handover.class);

    private final Supplier<SystemCalls> calls;
    private final Path root;
    private final Lending lending;
    private Optional<Path> path = Optional.empty();
    private Set<Integer> users = Set.of();
    private Optional<HandoverServer> server = Optional.empty();
    /** Logged already. */
    private String failure = "";
    private boolean closed;

    /**
     * Without a server yet.
     *
     * @param calls asked for when the first socket is opened, since it binds native code
     */
    Handover(Supplier<SystemCalls> calls, Path root, Lending lending) {
        this.calls = calls;
        this.root = root;
        this.lending = lending;
    }

    /** Path and users from now on. Devices that are lent stay, unless it is another path. */
    synchronized void want(Optional<Path> otherPath, Set<Integer> otherUsers) {
        path = otherPath;
        users = otherUsers;
        failure = "";
        follow();
    }

    /** Opens, replaces or ends the server, if that is still to be done; throws nothing. A failure is logged once. */
    synchronized void follow() {
        if (closed) {
            return;
        }
        try {
            bringInLine();
            failure = "";
        } catch (DeviceException e) {
            fail(KernelException.reason(e));
        } catch (IOException e) {
            fail(e.toString());
        } catch (Throwable e) { // thrown on, it would keep all other devices, too
            if (fail(e.toString())) {
                LOG.error("where it failed", e);
            }
        }
    }

    private void bringInLine() throws IOException {
        if (server.isPresent() && !(server.get().isAlive() && path.equals(Optional.of(server.get().path())))) {
            closeServer();
        }
        if (server.isPresent()) {
            server.get().admit(users);
        } else if (path.isPresent()) {
            server = Optional.of(HandoverServer.open(calls.get(), path.get(), users, root, lending));
        }
    }

    private boolean fail(String reason) {
        boolean isNew = !reason.equals(failure);
        if (isNew) {
            failure = reason;
            LOG.error("the handover of devices at {} is not as configured, and it is tried again: {}",
                    path.map(Path::toString).orElse("no socket"), reason);
        }
        return isNew;
    }

    private void closeServer() {
        Optional<HandoverServer> closing = server;
        server = Optional.empty();
        closing.ifPresent(HandoverServer::close);
    }

    /** Takes back what was handed over; there is no handover any more, whatever is configured. */
    @Override
    public synchronized void close() {
        closed = true;
        closeServer();
    }
}
