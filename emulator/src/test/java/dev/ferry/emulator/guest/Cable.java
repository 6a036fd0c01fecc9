// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** The network of a test: numbered frames in, and what came out. */
final class Cable {

    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final List<ByteBuffer> out = new ArrayList<>();
    private volatile int count;

    /** Takes the frames of a port. */
    Cable at(NetworkPort port) {
        port.connect(frame -> {
            synchronized (this) {
                out.add(ByteBuffer.allocate(frame.remaining()).put(frame.duplicate()).flip());
                count = out.size();
                notifyAll();
            }
        });
        return this;
    }

    /** Delivers a frame, trying for a bounded time. */
    static void deliver(NetworkPort port, ByteBuffer frame) {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        Delivery delivery = port.deliver(frame);
        while (delivery == Delivery.NOT_READY && System.nanoTime() < deadline) {
            Thread.yield();
            delivery = port.deliver(frame);
        }
        assertThat(delivery).isEqualTo(Delivery.TAKEN);
    }

    /** What came out, once it is so many frames. */
    synchronized List<ByteBuffer> await(int frames) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (out.size() < frames && System.nanoTime() < deadline) {
            wait(10);
        }
        return List.copyOf(out);
    }

    /** Waits, without sleeping on anything, until so many frames came out. */
    boolean spin(int frames) {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (count < frames && System.nanoTime() < deadline) {
            Thread.yield();
        }
        return count >= frames;
    }

    int count() {
        return count;
    }

    /** A frame of a length with a number in it, to a unicast address of nobody. */
    static ByteBuffer frame(int number, int length) {
        byte[] bytes = new byte[length];
        new SplittableRandom(number).nextBytes(bytes);
        bytes[0] = 0x02;
        ByteBuffer frame = ByteBuffer.wrap(bytes);
        if (length >= 18) {
            frame.putShort(12, (short) 0x88B5).putInt(14, number);
        }
        return frame;
    }
}
