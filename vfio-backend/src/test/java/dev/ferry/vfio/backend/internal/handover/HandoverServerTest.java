// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Who is let in at the socket, and what keeps or ends the listening. */
class HandoverServerTest extends HandoverFixture {
    private static final int STRANGER = 4711;
    private static final int EINVAL = 22;
    private static final int EMFILE = 24;

    @Test
    void shouldTurnAwayAUserThatTheKernelSaysIsAnother() throws Exception {
        server.close();
        server = start(Set.of(STRANGER - 1));
        instead.put("getsockopt", arguments -> peer(arguments, STRANGER));
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.hear()).isEqualTo("refused EACCES user 4711 may not hand devices over at " + socket);
            assertThat(client.hear()).as("the end").isEmpty();
        }
        instead.put("getsockopt", arguments -> peer(arguments, STRANGER - 1));
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("ok");
        }
    }

    /** Whoever reaches the socket can connect in a loop, also as many users in a namespace of users. */
    @Test
    void shouldTellTheLogOnceOfEachStrangerAndNotOfAllUntilTheNextScan() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger(HandoverConnection.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try {
            turnAway(STRANGER);
            turnAway(STRANGER);
            turnAway(STRANGER + 1);
            assertThat(warnings(log)).containsExactly(refused(STRANGER), refused(STRANGER + 1));

            server.admit(Set.of());
            turnAway(STRANGER);
            assertThat(warnings(log)).as("scanned").endsWith(refused(STRANGER + 1), refused(STRANGER));

            server.admit(Set.of());
            log.list.clear();
            for (int user = 1; user <= 40; user++) {
                turnAway(100_000 + user);
            }
            assertThat(warnings(log)).hasSize(16).endsWith(refused(100_016));
        } finally {
            logger.detachAppender(log);
        }
    }

    private void turnAway(int user) {
        instead.put("getsockopt", arguments -> peer(arguments, user));
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.hear()).startsWith("refused EACCES user " + user);
        }
    }

    private static List<String> warnings(ListAppender<ILoggingEvent> log) {
        return List.copyOf(log.list).stream().filter(event -> event.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage).toList();
    }

    private String refused(int user) {
        return "user %d was refused at %s: user %d may not hand devices over at %s"
                .formatted(user, socket, user, socket);
    }

    private static int peer(Object[] arguments, int user) {
        ((MemorySegment) arguments[3]).set(ValueLayout.JAVA_INT, 4, user);
        return 0;
    }

    @Test
    void shouldKeepNothingOfAPeerOfWhomTheKernelTellsNothing() throws Exception {
        int before = openSockets();
        instead.put("getsockopt", arguments -> -EINVAL);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.hear()).startsWith("refused EINVAL the handover socket: getsockopt SO_PEERCRED failed");
            assertThat(client.hear()).isEmpty();
            assertThat(openSockets()).as("the client's own").isEqualTo(before + 1);
        }
    }

    private static int openSockets() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return (int) all.filter(one -> targetOf(one).startsWith("socket:")).count();
        }
    }

    private static String targetOf(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile
        }
    }

    @Test
    void shouldSayThatThereAreTooManyConnections() throws Exception {
        List<HandoverClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 64; i++) {
                clients.add(new HandoverClient(calls, socket));
                assertThat(clients.get(i).ask("ferry-vfio 1 return")).isEqualTo("ok");
            }
            int before = openSockets();
            try (HandoverClient oneMore = new HandoverClient(calls, socket)) {
                assertThat(oneMore.hear())
                        .isEqualTo("refused EBUSY 64 connections hand devices over already, which is the most");
                assertThat(oneMore.hear()).isEmpty();
                assertThat(openSockets()).as("the client's own").isEqualTo(before + 1);
            }
            assertThat(clients.get(0).ask("ferry-vfio 1 return")).isEqualTo("ok");
        } finally {
            clients.forEach(HandoverClient::close);
        }
    }

    @Test
    void shouldNotSpinWhileNobodyCanBeLetIn() throws Exception {
        AtomicInteger refused = new AtomicInteger();
        AtomicInteger pauses = new AtomicInteger();
        instead.put("accept", arguments -> refused.get() < 3 && refused.incrementAndGet() > 0 ? -EMFILE : null);
        instead.put("poll", arguments -> {
            if (((MemorySegment) arguments[0]).get(ValueLayout.JAVA_INT, 0) < 0) {
                pauses.incrementAndGet();
            }
            return null;
        });
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("ok");
        }
        assertThat(pauses).hasValue(3);
    }

    /** The server's polls, not the client's. */
    private void failPolls(int count) {
        failPolls(count, () -> {});
    }

    /** The same, and something happens in each of them, on the server's thread. */
    private void failPolls(int count, Runnable meanwhile) {
        AtomicInteger failed = new AtomicInteger();
        instead.put("poll", arguments -> {
            if ((int) arguments[2] > 100 || failed.getAndIncrement() >= count) {
                return null;
            }
            meanwhile.run();
            return -EINVAL;
        });
    }

    @Test
    void shouldGoOnWhenWaitingFailsForAMoment() throws Exception {
        failPolls(3);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("ok");
        }
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldLetNobodyConnectWhenWaitingFailsForGood() throws Exception {
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            failPolls(Integer.MAX_VALUE);
            assertThat(client.hear()).as("the end").isEmpty();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (Files.exists(socket) && System.nanoTime() < deadline) {
                Thread.yield();
            }
            assertThat(socket).doesNotExist();
        }
    }

    @Test
    void shouldSayThatADeviceHasArrivedWhenWaitingFailsForGood() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            onTheWay = DEVICE;
            client.tell("ferry-vfio 1 return");
            assertThat(takenBack.poll(20, TimeUnit.SECONDS)).isEqualTo(DEVICE);
            // It arrives when the server no longer comes to look, before it gives up.
            failPolls(Integer.MAX_VALUE, () -> onTheWay = "");
            assertThat(client.hear()).isEqualTo("ok");
            assertThat(client.hear()).as("the end").isEmpty();
        }
        calls.close(fd);
    }

    @Test
    void shouldLeaveNothingWhenItCannotListen() throws Exception {
        server.close();
        int before = openSockets();
        instead.put("listen", arguments -> -EINVAL);

        assertThatIOException().isThrownBy(() -> start(Set.of()));

        assertThat(socket).doesNotExist();
        assertThat(openSockets()).isEqualTo(before);
    }

    @Test
    void shouldLetInOnlyItsOwnUserUnlessOthersAreNamed() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
        server.close();
        server = start(Set.of(65534));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-rw-rw-");
    }

    @Test
    void shouldLeaveASocketAtWhichSomebodyListens() throws Exception {
        assertThatIOException().isThrownBy(() -> start(Set.of())).withMessage("another process listens at " + socket
                + "; end it, or set handover.socket to another path");
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 return")).as("it still listens").isEqualTo("ok");
        }
    }

    @Test
    void shouldRemoveOnlyItsOwnSocketWhenItEnds() throws Exception {
        Path mine = Files.move(socket, folder.resolve("moved"));
        UnixSocket.bind(calls, socket).close();

        server.close();

        assertThat(socket).as("somebody else's").exists();
        assertThat(mine).exists();
        Files.delete(socket);
    }
}
