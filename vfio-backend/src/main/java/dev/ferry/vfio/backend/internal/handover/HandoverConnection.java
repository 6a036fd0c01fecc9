// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.handover.HandoverMessage.Container;
import dev.ferry.vfio.backend.internal.handover.HandoverMessage.Iommufd;
import dev.ferry.vfio.backend.internal.handover.HandoverMessage.Lend;
import dev.ferry.vfio.backend.internal.handover.HandoverMessage.Nothing;
import dev.ferry.vfio.backend.internal.handover.HandoverMessage.Return;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One process that hands over one device, for as long as it stays connected. Used by the server's thread alone. */
final class HandoverConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HandoverConnection.class);

    private final SystemCalls calls;
    private final UnixSocket socket;
    private final Path path;
    private final DeviceFinder finder;
    private final DeviceIdentity identity;
    private final Lending lending;
    private Optional<String> lent = Optional.empty();
    private Optional<Lending.WayBack> returning = Optional.empty();
    /** For the log. */
    private String peer = "a process whose user the kernel does not report";

    HandoverConnection(
            SystemCalls calls,
            UnixSocket socket,
            Path path,
            DeviceFinder finder,
            DeviceIdentity identity,
            Lending lending) {
        this.calls = calls;
        this.socket = socket;
        this.path = path;
        this.finder = finder;
        this.identity = identity;
        this.lending = lending;
    }

    int number() {
        return socket.number();
    }

    /** The number of the user who has connected. */
    int user() throws DeviceException {
        int user = socket.peerUser();
        peer = "user " + Integer.toUnsignedString(user);
        return user;
    }

    /**
     * Takes one message that is waiting, and answers; to a return the answer comes {@linkplain #answerReturn later}.
     *
     * @return whether the connection goes on
     */
    boolean hear() {
        try (UnixSocket.Message message = socket.receive(HandoverMessage.MOST_BYTES)) {
            if (message.isEnd()) {
                return false;
            }
            switch (HandoverMessage.parse(message.bytes())) {
                case Lend lend -> socket.send("ok " + lend(lend, message));
                case Return back -> giveBack();
            }
            return true;
        } catch (DeviceException e) {
            return refuse(e);
        }
    }

    /** Whether the device is on its way back; nothing is heard meanwhile. */
    boolean isReturning() {
        return returning.isPresent();
    }

    /**
     * Answers when the device has arrived, or takes too long.
     *
     * @return whether the connection goes on
     */
    boolean answerReturn() {
        Lending.WayBack back = returning.orElseThrow();
        Optional<String> obstacle = back.obstacle();
        if (obstacle.isPresent() && !back.isLate()) {
            return true;
        }
        return endReturn(obstacle);
    }

    private boolean endReturn(Optional<String> obstacle) {
        returning = Optional.empty();
        try {
            if (obstacle.isPresent()) {
                throw new DeviceException(Errno.ETIMEDOUT, obstacle.get());
            }
            socket.send("ok");
            return true;
        } catch (DeviceException e) {
            return refuse(e);
        }
    }

    private String lend(Lend lend, UnixSocket.Message message) throws DeviceException {
        if (lent.isPresent() || message.count() != lend.descriptors()) {
            throw new DeviceException(Errno.EINVAL, lent.isPresent()
                    ? "one device is handed over on a connection, and " + lent.get() + " is"
                    : "%d descriptors belong to this message, not %d".formatted(lend.descriptors(), message.count()));
        }
        FoundDevice found = find(lend.device());
        OpenDevice open = open(lend, found, message.take());
        String id = lending.lend(found, open);
        lent = Optional.of(lend.device());
        LOG.info("{} was handed over", id);
        return id;
    }

    private FoundDevice find(String name) throws DeviceException {
        List<FoundDevice> all;
        try {
            all = finder.find(Set.of(name));
        } catch (IOException e) {
            throw new DeviceException(Errno.EIO, "the devices of this host cannot be read", e);
        }
        FoundDevice found = all.stream().filter(device -> device.name().equals(name)).findFirst().orElseThrow();
        if (found.driver().isEmpty()) {
            throw new DeviceException(Errno.ENODEV, found.obstacle().orElseThrow());
        }
        return found;
    }

    /** Takes over the descriptors, which are closed when this fails. */
    private OpenDevice open(Lend lend, FoundDevice found, List<Descriptor> descriptors) throws DeviceException {
        boolean done = false;
        try {
            VfioDevice device = new VfioDevice(calls, descriptors.get(0), lend.device());
            identity.require(found, device, (int) descriptors.get(0).use(fd -> fd));
            Optional<IommuSpace> space = space(lend, descriptors);
            done = true;
            return new OpenDevice(device, space, "handover", () -> descriptors.forEach(Descriptor::close));
        } finally {
            if (!done) {
                descriptors.forEach(Descriptor::close);
            }
        }
    }

    /** That the second descriptor is this device's own container or iommufd cannot be asked; that it is one can. */
    private Optional<IommuSpace> space(Lend lend, List<Descriptor> descriptors) throws DeviceException {
        return switch (lend.beside()) {
            case Nothing nothing -> Optional.empty();
            case Container container -> {
                ContainerSpace lent =
                        ContainerSpace.lent(calls, descriptors.get(1), "the container of " + lend.device());
                lent.requireContainer();
                yield Optional.of(lent);
            }
            case Iommufd iommufd -> {
                IommufdSpace lent = IommufdSpace.ofPageTable(
                        calls, descriptors.get(1), lend.device(), iommufd.pageTable());
                lent.requireIommufd();
                yield Optional.of(lent);
            }
        };
    }

    /** Tells why, as far as somebody listens; the connection ends. */
    boolean refuse(DeviceException refusal) {
        return refuse(refusal, true);
    }

    /** In the same way; the log is warned only when it is news. */
    boolean refuse(DeviceException refusal, boolean news) {
        if (news) {
            LOG.warn("{} was refused at {}: {}", peer, path, KernelException.reason(refusal));
        } else {
            LOG.debug("{} was refused again at {}: {}", peer, path, KernelException.reason(refusal));
        }
        try {
            socket.send("refused " + refusal.errno() + " " + refusal.getMessage().replaceAll("[^ -~]", "?"));
        } catch (DeviceException e) {
            LOG.debug("nobody hears the refusal", e);
        }
        return false;
    }

    private void giveBack() throws DeviceException {
        Optional<String> back = lent;
        lent = Optional.empty();
        returning = back.map(lending::takeBack);
        if (back.isEmpty()) {
            socket.send("ok");
        }
    }

    /** Whoever handed it over is gone, and waits for nothing. */
    private void letGo() {
        Optional<String> back = lent;
        lent = Optional.empty();
        back.ifPresent(lending::letGo);
    }

    /** Whoever waits for his device hears whether it has arrived, why ever the connection ends. */
    @Override
    public void close() {
        try {
            returning.ifPresent(back -> endReturn(back.obstacle()));
            letGo();
        } finally {
            socket.close();
        }
    }
}
