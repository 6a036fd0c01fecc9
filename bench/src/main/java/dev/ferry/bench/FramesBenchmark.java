// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.emulator.guest.VirtioNetGuest;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Frames per second through one VF: in by its receive queue, through guest memory, out by its transmit queue. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class FramesBenchmark {

    private static final int FRAMES = 1000;
    private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Bytes of a frame, without frame check sequence. */
    @Param({"60", "1514"})
    public int frameBytes;

    private final AtomicLong transmitted = new AtomicLong();
    private EmulatedHosts hosts;
    private NetworkPort port;
    private VirtioNetGuest guest;
    private ByteBuffer frame;

    /** Starts the hosts and boots a guest. */
    @Setup(Level.Trial)
    public void start() throws Exception {
        hosts = EmulatedHosts.start(1, 1);
        EmulatedAdapter adapter = hosts.adapter("host1");
        port = adapter.port(1);
        port.connect(sent -> transmitted.incrementAndGet());
        guest = VirtioNetGuest.boot(adapter.function(1), GuestRam.allocate());
        frame = ByteBuffer.allocateDirect(frameBytes);
    }

    /** Ends the guest and the hosts. */
    @TearDown(Level.Trial)
    public void stop() throws Exception {
        guest.close();
        hosts.stop();
    }

    /** A thousand frames in, and a thousand out. */
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public long forward() {
        long target = transmitted.get() + FRAMES;
        long deadline = System.nanoTime() + WAIT_NANOS;
        for (int sent = 0; sent < FRAMES; ) {
            if (port.deliver(frame) == NetworkPort.Delivery.TAKEN) {
                sent++;
            } else {
                spin(deadline);
            }
        }
        while (transmitted.get() < target) {
            spin(deadline);
        }
        return target;
    }

    private static void spin(long deadline) {
        if (System.nanoTime() - deadline > 0) {
            throw new IllegalStateException("the guest does not forward frames");
        }
        Thread.onSpinWait();
    }
}
