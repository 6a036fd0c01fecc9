// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * The measurements of {@code itest/kernel-lab/peer/peer.c}, in Java: what stands in both is measured in the same way,
 * and printed in the same form: the best of several rounds, which least else on the machine has disturbed.
 *
 * <pre>
 * Benchmark ioctl WAY DEVICE                 time per call
 * Benchmark stream WAY DEVICE BYTES SOCKET   device state from the kernel to the socket of "peer sink"
 * Benchmark memory PATH SOCKET               the same from a file in memory
 * </pre>
 */
public final class Benchmark {
    private static final int ROUNDS = 8;
    /** The compilers need some time, on the one emulated processor, too. */
    private static final int WARM_UP_ROUNDS = 40;
    /** Of a stream: each round is long. */
    private static final int STREAM_WARM_UP_ROUNDS = 8;

    private static final int CALLS = 2_000;
    private static final int CHUNK = 1 << 20;

    private Benchmark() {}

    /** Measures. */
    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "ioctl" -> {
                try (Driven driven = new HostDevices(arguments[1]).open(arguments[2])) {
                    calls(driven);
                }
            }
            case "stream" -> {
                try (Driven driven = new HostDevices(arguments[1]).open(arguments[2])) {
                    new SteeredDevice(driven.open().device())
                            .set(SteeredDevice.STATE_BYTES, Long.parseLong(arguments[3]));
                    stream("stream", driven.driver(), Path.of(arguments[4]));
                }
            }
            case "memory" -> {
                try (MemoryBackedDevice device = new MemoryBackedDevice(Path.of(arguments[1]))) {
                    stream("memory", device.driver(), Path.of(arguments[2]));
                }
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    @FunctionalInterface
    private interface Call {
        void make() throws DeviceException;
    }

    private static void calls(Driven driven) throws DeviceException {
        VfioDevice device = driven.open().device();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument =
                    arena.allocate(DeviceFeature.Header.BYTES + DeviceFeature.MigState.BYTES, Long.BYTES);
            time("get-state-ns", () -> state(device, argument, DeviceFeature.GET, 0));
            time("set-same-state-ns", () -> state(device, argument, DeviceFeature.SET, DeviceState.RUNNING.number()));
            time("stop-and-run-ns", () -> {
                state(device, argument, DeviceFeature.SET, DeviceState.STOP.number());
                state(device, argument, DeviceFeature.SET, DeviceState.RUNNING.number());
            });
            time("driver-state-ns", driven.driver()::state);
        }
    }

    private static void state(VfioDevice device, MemorySegment argument, int operation, int state) {
        argument.set(JAVA_INT, DeviceFeature.Header.DATA + DeviceFeature.MigState.DEVICE_STATE, state);
        argument.set(JAVA_INT, DeviceFeature.Header.DATA + DeviceFeature.MigState.DATA_FD, -1);
        int result = device.feature(DeviceFeature.MIG_DEVICE_STATE | operation, argument);
        LabChecks.demand(result == 0, "VFIO_DEVICE_FEATURE gives %d", result);
    }

    private static void time(String name, Call call) throws DeviceException {
        double best = Double.MAX_VALUE;
        for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
            long start = System.nanoTime();
            for (int i = 0; i < CALLS; i++) {
                call.make();
            }
            if (round >= 0) {
                best = Math.min(best, (double) (System.nanoTime() - start) / CALLS);
            }
        }
        report(name, best);
    }

    private static void report(String name, double best) {
        System.out.printf("%s %.0f%n", name, best);
    }

    /** The first round is told, too: it is what the first migration of a process gets, before anything is compiled. */
    private static void stream(String name, MigrationDriver driver, Path socket) throws IOException {
        double best = 0;
        for (int round = -STREAM_WARM_UP_ROUNDS; round < ROUNDS; round++) {
            LabChecks.take(driver, Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP);
            SavingSession saving =
                    (SavingSession) driver.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
            long start = System.nanoTime();
            long sent = send(saving, socket);
            double speed = sent * 1e3 / (System.nanoTime() - start);
            if (round == -STREAM_WARM_UP_ROUNDS) {
                report(name + "-cold-MBps", speed);
            }
            best = round < 0 ? best : Math.max(best, speed);
            LabChecks.take(driver, Arc.STOP_COPY_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
        }
        report(name + "-MBps", best);
    }

    /** Sends a stream and waits until the other side has all of it. */
    private static long send(SavingSession saving, Path socket) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK);
        long sent = 0;
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            while (saving.read(buffer.clear()) >= 0) {
                sent += buffer.flip().remaining();
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            channel.shutdownOutput();
            channel.read(buffer.clear());
        }
        return sent;
    }
}
