// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handover through real sockets; the descriptors are files of the test's, not devices. */
class HandoverServerTest {
    private static final String DEVICE = "0000:3b:00.2";
    private static final int O_RDWR_CLOEXEC = 0x80002;
    private static final int STRANGER = 4711;
    private static final int EINVAL = 22;
    private static final int EMFILE = 24;

    @TempDir
    private Path folder;

    private final LinuxSystemCalls linux = new LinuxSystemCalls();
    /** What a test does instead of a system call, by name; nothing when it gives null. */
    private final Map<String, Function<Object[], Object>> instead = new ConcurrentHashMap<>();

    private final SystemCalls calls = (SystemCalls) Proxy.newProxyInstance(
            getClass().getClassLoader(), new Class<?>[] {SystemCalls.class}, (proxy, method, arguments) -> {
                Function<Object[], Object> other = instead.get(method.getName());
                Object result = other == null ? null : other.apply(arguments);
                return result == null ? method.invoke(linux, arguments) : result;
            });
    private final BlockingQueue<OpenDevice> lent = new LinkedBlockingQueue<>();
    /** Asked for by whoever had handed it over, who waits. */
    private final BlockingQueue<String> takenBack = new LinkedBlockingQueue<>();
    /** Whoever had handed it over is gone. */
    private final BlockingQueue<String> letGo = new LinkedBlockingQueue<>();
    private volatile boolean refuses;
    private volatile boolean breaks;
    private volatile boolean keeps;
    private Path socket;
    private Path file;
    private HandoverServer server;

    @BeforeEach
    void open() throws Exception {
        FakeHost host = new FakeHost(folder);
        FakeDevice device = host.pci(DEVICE, "mlx5_vfio_pci", "12");
        Files.createSymbolicLink(folder.resolve("proc/self"), Path.of("/proc/self"));
        // The file answers as the device does.
        int number = host.kernel.install(device);
        instead.put("ioctl", arguments ->
                host.kernel.ioctl(number, (int) arguments[1], (MemorySegment) arguments[2]));
        instead.put("pread", arguments ->
                host.kernel.pread(number, (MemorySegment) arguments[1], (long) arguments[2]));
        socket = folder.resolve("ferry.sock");
        file = Files.writeString(folder.resolve("device"), "content");
        server = start(Set.of());
    }

    private HandoverServer start(Set<Integer> users) throws IOException {
        return HandoverServer.open(calls, socket, users, folder, new HandoverServer.Lending() {
            @Override
            public String lend(FoundDevice device, OpenDevice open) throws DeviceException {
                return take(device, open);
            }

            @Override
            public void takeBack(String name) throws DeviceException {
                if (keeps) {
                    throw new DeviceException(Errno.ETIMEDOUT, "told to keep it");
                }
                giveBack(name, takenBack);
            }

            @Override
            public void letGo(String name) {
                giveBack(name, letGo);
            }
        });
    }

    private void giveBack(String name, BlockingQueue<String> way) {
        OpenDevice device = lent.poll();
        if (device != null) {
            device.close();
        }
        way.add(name);
        if (breaks) {
            throw new IllegalStateException("told to break");
        }
    }

    private String take(FoundDevice device, OpenDevice open) throws DeviceException {
        if (refuses) {
            open.close();
            throw new DeviceException(Errno.EOPNOTSUPP, "told to refuse");
        }
        if (breaks) {
            open.close();
            throw new IllegalStateException("told to break");
        }
        lent.add(open);
        return "host9/" + device.name();
    }

    @AfterEach
    void close() {
        server.close();
        assertThat(socket).doesNotExist();
    }

    /** How many descriptors of this process are the test's file, and whether all are closed on exec. */
    private List<Path> descriptorsOfFile() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(this::isFile).toList();
        }
    }

    private boolean isFile(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).equals(file);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    @Test
    void shouldTakeADeviceForAsLongAsTheConnectionLives() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("ok host9/" + DEVICE);
            calls.close(fd);
            assertThat(lent.element().space()).isEmpty();
            assertThat(descriptorsOfFile()).singleElement().satisfies(received -> assertThat(
                    Files.readString(Path.of("/proc/self/fdinfo", received.getFileName().toString())))
                    .containsPattern("flags:\\s+0?2[0-7]{6,}"));
        }
        assertThat(letGo.poll(5, TimeUnit.SECONDS)).isEqualTo(DEVICE);
        assertThat(takenBack).isEmpty();
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldGiveADeviceBackWhenAsked() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE + " container", fd, fd)).startsWith("ok");
            assertThat(lent.element().space().orElseThrow()).isInstanceOf(ContainerSpace.class);
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("ok");
            assertThat(takenBack).containsExactly(DEVICE);
            assertThat(descriptorsOfFile()).hasSize(1);
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE + " iommufd 8", fd, fd)).startsWith("ok");
            assertThat(((IommufdSpace) lent.element().space().orElseThrow()).trackingPageTable()).hasValue(8);
        }
        calls.close(fd);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "hello", "ferry-vfio 2 lend 0000:3b:00.2", "ferry-vfio 1 lend", "ferry-vfio 1 lend ../x",
        "ferry-vfio 1 steal x",
        "ferry-vfio 1 lend 0000:3b:00.2 container", "ferry-vfio 1 lend 0000:3b:00.2 iommufd", "ferry-vfio 1 return now",
        "ferry-vfio 1 lend 0000:3b:00.2 iommufd 99999999999"
    })
    void shouldRefuseWhatItDoesNotUnderstandAndKeepNothing(String message) throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask(message, fd)).startsWith("refused EINVAL ");
            assertThat(descriptorsOfFile()).as("the client's own").hasSize(1);
        }
        calls.close(fd);
        assertThat(lent).isEmpty();
    }

    @Test
    void shouldRefuseADeviceThatIsNotThereAndPassOnRefusals() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend 0000:99:00.0", fd))
                    .isEqualTo("refused ENODEV there is no device 0000:99:00.0 in this host");
        }
        refuses = true;
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("refused EOPNOTSUPP told to refuse");
        }
        calls.close(fd);
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldRefuseMessagesThatAreTooLongOrHaveTooManyDescriptors() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("x".repeat(300), fd)).startsWith("refused EINVAL the message is too long");
        }
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd, fd, fd, fd, fd, fd, fd))
                    .startsWith("refused EINVAL");
        }
        calls.close(fd);
        assertThat(descriptorsOfFile()).isEmpty();
    }

    @Test
    void shouldSayWhyADeviceCannotBeGivenBackYet() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            keeps = true;
            assertThat(client.ask("ferry-vfio 1 return")).isEqualTo("refused ETIMEDOUT told to keep it");
            assertThat(client.hear()).as("the connection ends").isEmpty();
        }
        calls.close(fd);
        assertThat(letGo).as("it is on its way already").isEmpty();
        lent.remove().close();
    }

    @Test
    void shouldGiveBackWhatIsLentWhenItStops() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            calls.close(fd);
            server.close();
            assertThat(letGo).containsExactly(DEVICE);
            assertThat(descriptorsOfFile()).isEmpty();
        }
    }

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
    void shouldServeOthersWhenServingOneFails() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient other = new HandoverClient(calls, socket);
                HandoverClient lender = new HandoverClient(calls, socket)) {
            assertThat(lender.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            breaks = true;
            assertThat(lender.ask("ferry-vfio 1 return")).as("the connection ends").isEmpty();
            try (HandoverClient second = new HandoverClient(calls, socket)) {
                assertThat(second.ask("ferry-vfio 1 lend " + DEVICE, fd)).as("the connection ends").isEmpty();
            }
            assertThat(descriptorsOfFile()).as("the client's own").hasSize(1);
            breaks = false;
            assertThat(other.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
        }
        calls.close(fd);
        assertThat(takenBack.poll(5, TimeUnit.SECONDS)).isEqualTo(DEVICE);
        assertThat(letGo.poll(5, TimeUnit.SECONDS)).isEqualTo(DEVICE);
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
        AtomicInteger failed = new AtomicInteger();
        instead.put("poll", arguments -> (int) arguments[2] <= 100 && failed.getAndIncrement() < count ? -EINVAL : null);
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
                Thread.onSpinWait();
            }
            assertThat(socket).doesNotExist();
        }
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
    void shouldRefuseADescriptorOfAnotherDevice() throws Exception {
        Files.writeString(folder.resolve("sys/bus/pci/devices").resolve(DEVICE).resolve("device"), "0x1042\n");
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).isEqualTo("refused EINVAL the descriptor is of "
                    + "another device than " + DEVICE + ": of 1af4:1041, not of 1af4:1042");
            assertThat(descriptorsOfFile()).as("the client's own").hasSize(1);
        }
        calls.close(fd);
        assertThat(lent).isEmpty();
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
