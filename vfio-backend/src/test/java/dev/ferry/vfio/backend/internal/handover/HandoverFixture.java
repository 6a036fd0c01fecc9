// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A server at a real socket, whose devices are files of the test's and whose lending is the test's own. */
abstract class HandoverFixture {
    static final String DEVICE = "0000:3b:00.2";
    static final String OTHER = "0000:3b:00.3";
    static final int O_RDWR_CLOEXEC = 0x80002;
    /** Requests that a container or an iommufd answers: for the version, and for a dirty bitmap. */
    private static final Set<Integer> OF_SPACES = Set.of(0x3B64, 0x3B8C);

    @TempDir
    Path folder;

    private final LinuxSystemCalls linux = new LinuxSystemCalls();
    /** What a test does instead of a system call, by name; nothing when it gives null. */
    final Map<String, Function<Object[], Object>> instead = new ConcurrentHashMap<>();

    final SystemCalls calls = InterceptedCalls.of(
            linux, (call, arguments) -> instead.getOrDefault(call, given -> null).apply(arguments));
    final BlockingQueue<OpenDevice> lent = new LinkedBlockingQueue<>();
    /** Asked for by whoever had handed it over, who waits. */
    final BlockingQueue<String> takenBack = new LinkedBlockingQueue<>();
    /** Whoever had handed it over is gone. */
    final BlockingQueue<String> letGo = new LinkedBlockingQueue<>();
    volatile boolean refuses;
    volatile boolean breaks;
    volatile boolean keeps;
    /** A device that does not arrive when it is returned. */
    volatile String onTheWay;
    Path socket;
    Path file;
    HandoverServer server;

    @BeforeEach
    void open() throws Exception {
        FakeHost host = new FakeHost(folder);
        FakeDevice device = host.pci(DEVICE, "mlx5_vfio_pci", "12");
        host.pci(OTHER, "mlx5_vfio_pci", "13");
        Files.createSymbolicLink(folder.resolve("proc/self"), Path.of("/proc/self"));
        // The file answers as the device does.
        int number = host.kernel.install(device);
        instead.put("ioctl", arguments -> OF_SPACES.contains((int) arguments[1])
                ? (Object) 0
                : host.kernel.ioctl(number, (int) arguments[1], (MemorySegment) arguments[2]));
        instead.put("pread", arguments ->
                host.kernel.pread(number, (MemorySegment) arguments[1], (long) arguments[2]));
        socket = folder.resolve("ferry.sock");
        file = Files.writeString(folder.resolve("device"), "content");
        server = start(Set.of());
    }

    HandoverServer start(Set<Integer> users) throws IOException {
        return HandoverServer.open(calls, socket, users, folder, new Lending() {
            @Override
            public String lend(FoundDevice device, OpenDevice open) throws DeviceException {
                return take(device, open);
            }

            @Override
            public Lending.WayBack takeBack(String name) {
                giveBack(name, takenBack);
                return new Lending.WayBack() {
                    @Override
                    public Optional<String> obstacle() {
                        return keeps || name.equals(onTheWay) ? Optional.of("told to keep it") : Optional.empty();
                    }

                    @Override
                    public boolean isLate() {
                        return keeps;
                    }
                };
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
}
