// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handover through real sockets; the descriptors are files of the test's, not devices. */
class HandoverServerTest {
    private static final String DEVICE = "0000:3b:00.2";
    private static final int O_RDWR_CLOEXEC = 0x80002;
    private static final int STRANGER = 4711;

    @TempDir
    private Path folder;

    private final LinuxSystemCalls calls = new LinuxSystemCalls();
    private final BlockingQueue<OpenDevice> lent = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> takenBack = new LinkedBlockingQueue<>();
    private boolean refuses;
    private Path socket;
    private Path file;
    private HandoverServer server;

    @BeforeEach
    void open() throws Exception {
        new FakeHost(folder).pci(DEVICE, "mlx5_vfio_pci", "12");
        socket = folder.resolve("ferry.sock");
        file = Files.writeString(folder.resolve("device"), "content");
        server = start(Set.of());
    }

    private HandoverServer start(Set<Integer> users) throws IOException {
        return HandoverServer.open(calls, socket, users, new DeviceFinder(folder), this::lend, name -> {
            OpenDevice device = lent.poll();
            if (device != null) {
                device.close();
            }
            takenBack.add(name);
        });
    }

    private String lend(FoundDevice device, OpenDevice open) throws DeviceException {
        if (refuses) {
            open.close();
            throw new DeviceException(Errno.EOPNOTSUPP, "told to refuse");
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
        assertThat(takenBack.poll(5, TimeUnit.SECONDS)).isEqualTo(DEVICE);
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
    void shouldGiveBackWhatIsLentWhenItStops() throws Exception {
        int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
        try (HandoverClient client = new HandoverClient(calls, socket)) {
            assertThat(client.ask("ferry-vfio 1 lend " + DEVICE, fd)).startsWith("ok");
            calls.close(fd);
            server.close();
            assertThat(takenBack).containsExactly(DEVICE);
            assertThat(descriptorsOfFile()).isEmpty();
        }
    }

    @Test
    void shouldTurnAwayAUserThatTheKernelSaysIsAnother() throws Exception {
        for (Set<Integer> users : List.of(Set.of(STRANGER - 1), Set.of(STRANGER))) {
            server.close();
            server = HandoverServer.open(
                    withPeer(STRANGER), socket, users, new DeviceFinder(folder), this::lend, takenBack::add);
            int fd = calls.open(file.toString(), O_RDWR_CLOEXEC);
            try (HandoverClient client = new HandoverClient(calls, socket)) {
                String answer = client.tryToAsk("ferry-vfio 1 lend " + DEVICE, fd);
                assertThat(answer).startsWith(users.contains(STRANGER) ? "ok" : "gone");
            }
            calls.close(fd);
        }
        server.close();
        lent.forEach(OpenDevice::close);
    }

    /** System calls that are made, but for what the kernel says of the peer. */
    private SystemCalls withPeer(int user) {
        return (SystemCalls) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {SystemCalls.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getsockopt")) {
                        ((MemorySegment) arguments[3]).set(ValueLayout.JAVA_INT, 4, user);
                        return 0;
                    }
                    return method.invoke(calls, arguments);
                });
    }

    @Test
    void shouldLetInOnlyItsOwnUserUnlessOthersAreNamed() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-------");
        server.close();
        server = start(Set.of(65534));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket))).isEqualTo("rw-rw-rw-");
    }

    @Test
    void shouldReplaceASocketThatWasLeftAndNothingElse() throws Exception {
        HandoverServer second = start(Set.of()); // as after a process that was killed
        server.close();
        second.close();
        Files.writeString(socket, "somebody's");

        assertThatIOException().isThrownBy(() -> start(Set.of())).withMessageEndingWith("bind failed (EADDRINUSE)");

        assertThat(socket).hasContent("somebody's");
        Files.delete(socket);
    }
}
