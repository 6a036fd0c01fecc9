// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakePeer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** The handover is what the configuration says, whatever stood against it before, and what is lent stays. */
@Timeout(120)
class HandoverFollowsTest extends BackendFixture {
    private static final int OWN_USER = 1000;
    private static final int OTHER_USER = 107;
    private static final int EINVAL = 22;
    private static final String LEND = "ferry-vfio 1 lend ";
    private static final String RETURN = "ferry-vfio 1 return";

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(Handover.class);
    private Path socket;

    @BeforeEach
    void listen() {
        socket = folder.resolve("run/ferry.sock");
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void shouldLeaveNothing() {
        logger.detachAppender(log);
        backend.deactivate();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
        assertThat(socket).doesNotExist();
    }

    private void configure(String rescanSeconds, String... users) {
        configure(Map.of(
                "handover_socket", socket.toString(), "handover_users", users, "rescan_seconds", rescanSeconds));
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
            Thread.yield();
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    private String ask(int user, String message) {
        try (FakePeer peer = host.kernel.connect(socket, user)) {
            return peer.ask(message);
        }
    }

    @Test
    void shouldOpenTheSocketWhenTheSameConfigurationComesAgain() throws Exception {
        configure("3600");
        assertThat(socket).doesNotExist();

        Files.createDirectory(socket.getParent());
        configure("3600");

        assertThat(ask(OWN_USER, RETURN)).isEqualTo("ok");
    }

    @Test
    void shouldOpenTheSocketAsSoonAsItCanBeOpenedAndSayOnceThatItCannot() throws Exception {
        CountDownLatch tried = new CountDownLatch(3);
        instead.put("bind", arguments -> {
            tried.countDown();
            return null;
        });
        configure("1");
        assertThat(tried.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).as("tried again").isTrue();

        Files.createDirectory(socket.getParent());
        await(() -> Files.exists(socket));

        backend.deactivate();
        assertThat(log.list).filteredOn(event -> event.getLevel() == Level.ERROR).singleElement().satisfies(
                event -> assertThat(event.getFormattedMessage()).contains("make the folder " + socket.getParent()));
    }

    @Test
    void shouldListenAgainWhenTheServerHasEnded() throws Exception {
        Files.createDirectory(socket.getParent());
        configure("1");
        instead.put("poll", arguments -> -EINVAL);
        await(() -> !Files.exists(socket));

        instead.remove("poll");
        await(() -> Files.exists(socket) && isAnswered());
    }

    /** Between its file and its listening nobody can connect. */
    private boolean isAnswered() {
        try {
            return ask(OWN_USER, RETURN).equals("ok");
        } catch (AssertionError e) {
            return false;
        }
    }

    @Test
    void shouldKeepWhatIsLentWhenOtherUsersAreNamed() throws Exception {
        Files.createDirectory(socket.getParent());
        FakeDevice device = host.devices.get(MDEV);
        int ofVmm = host.kernel.install(device);
        configure("3600");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
        try (FakePeer vmm = host.kernel.connect(socket, OWN_USER)) {
            assertThat(vmm.ask(LEND + MDEV, device)).startsWith("ok");
            MigrationDriver lent = driver(MDEV);

            configure("3600", "" + OTHER_USER);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-rw-rw-");
            assertThat(ask(OTHER_USER, RETURN)).isEqualTo("ok");
            configure("3600");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
            assertThat(ask(OTHER_USER, RETURN)).startsWith("refused EACCES");

            assertThat(driver(MDEV)).isSameAs(lent);
            assertThat(lent.state()).isEqualTo(DeviceState.RUNNING);
            assertThat(vmm.ask(RETURN)).isEqualTo("ok");
        }
        host.kernel.close(ofVmm);
    }

    @Test
    void shouldMoveToAnotherPath() throws Exception {
        Files.createDirectory(socket.getParent());
        configure("3600");
        Path before = socket;
        socket = folder.resolve("run/other.sock");

        configure("3600");

        assertThat(before).doesNotExist();
        assertThat(ask(OWN_USER, RETURN)).isEqualTo("ok");
    }

    /** Whatever goes wrong with one connection is that one's alone. */
    @Test
    void shouldServeTheOthersWhenALoanEndsInAnError() throws Exception {
        Files.createDirectory(socket.getParent());
        configure("3600");
        FakeDevice device = host.devices.get(MDEV);
        List<Integer> ofVmm = List.of(host.kernel.install(device), host.kernel.install(host.devices.get(VF)));
        try (FakePeer vmm = host.kernel.connect(socket, OWN_USER);
                FakePeer other = host.kernel.connect(socket, OWN_USER)) {
            assertThat(vmm.ask(LEND + MDEV, device)).startsWith("ok");
            instead.put("ioctl", arguments -> {
                throw new LinkageError("told to fail");
            });

            assertThat(other.ask(LEND + VF, host.devices.get(VF))).as("the connection ends").isEmpty();

            instead.remove("ioctl");
            assertThat(ask(OWN_USER, RETURN)).isEqualTo("ok");
            assertThat(vmm.ask(RETURN)).isEqualTo("ok");
        }
        ofVmm.forEach(host.kernel::close);
    }

    /** Who was not asked for his credentials is not let in. */
    @Test
    void shouldGoOnWhenLettingSomebodyInEndsInAnError() throws Exception {
        Files.createDirectory(socket.getParent());
        configure("3600");
        instead.put("getsockopt", arguments -> {
            throw new OutOfMemoryError("told to fail");
        });
        try (FakePeer stranger = host.kernel.connect(socket, OTHER_USER)) {
            assertThat(stranger.ask(RETURN)).as("the end").isEmpty();
        }

        instead.remove("getsockopt");
        assertThat(ask(OWN_USER, RETURN)).isEqualTo("ok");
    }

    @Test
    void shouldCloseWhatCannotListenThoughItsFileCannotBeRemovedAndTellWhatCameFirst() throws Exception {
        Path moved = folder.resolve("moved");
        Files.createDirectory(socket.getParent());
        instead.put("listen", arguments -> {
            try {
                Files.move(socket.getParent(), moved);
                Files.writeString(socket.getParent(), "somebody's");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            return -EINVAL;
        });

        configure("3600");

        assertThat(host.kernel.openFiles()).isZero();
        assertThat(log.list).singleElement().satisfies(
                event -> assertThat(event.getFormattedMessage()).endsWith("listen failed (EINVAL)"));
    }
}
