// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The network in front of the guest: a thread that delivers frames, in order, to the port the guest is at. A frame that
 * the device cannot take now waits, and all that come after it wait behind it.
 *
 * <p>It holds the frames that are on their way; whoever sends bounds their number. Thread-safe.
 */
final class EmulatedNetwork implements AutoCloseable {

    private static final long RETRY_NANOS = 50_000;
    private static final long POLL_MILLIS = 50;
    private static final long CLOSE_MILLIS = 5_000;

    private final BlockingQueue<Frame> queue = new LinkedBlockingQueue<>();
    private final BiConsumer<Frame, Delivery> refused;
    private final Consumer<IOException> failed;
    private final Thread thread = new Thread(this::run, "ferry-demo-network");
    private final NetworkPort start;
    private volatile NetworkPort port;
    private volatile boolean closed;
    private volatile boolean switching;
    private volatile long waited;

    /**
     * A network with the guest at a port.
     *
     * @param refused is told of frames that the device did not want; on the thread of the network
     * @param failed is told when no more frames will be delivered; on the same thread, once
     */
    EmulatedNetwork(NetworkPort port, BiConsumer<Frame, Delivery> refused, Consumer<IOException> failed) {
        this.start = port;
        this.port = port;
        this.refused = refused;
        this.failed = failed;
        thread.setDaemon(true);
        thread.start();
    }

    /** Puts a frame into the network. Does not wait. */
    void send(Frame frame) {
        queue.add(frame);
    }

    /** The switchover begins: frames that have to wait from now on are counted. */
    void switchoverBegins() {
        switching = true;
    }

    /** The guest is at another port now. */
    void follow(NetworkPort next) {
        port = next;
    }

    /** Frames that waited during the switchover; 0 before the guest has taken the first one where it is now. */
    long waited() {
        return waited;
    }

    /** Ends the thread, within seconds. Frames that wait are gone. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            deliverAll();
        } catch (Throwable e) {
            // Whatever it is, an Error too: a thread that ends unnoticed would look like a guest that is slow.
            failed.accept(new IOException("the emulated network failed: " + e, e));
        }
    }

    private void deliverAll() {
        boolean held = false;
        while (!closed) {
            Frame frame = next();
            if (frame == null) {
                continue;
            }
            NetworkPort at = port;
            Delivery delivery = deliver(frame, at);
            while (delivery == Delivery.NOT_READY && !closed) {
                held |= switching;
                LockSupport.parkNanos(RETRY_NANOS);
                at = port;
                delivery = deliver(frame, at);
            }
            if (delivery == Delivery.TAKEN && switching && at != start) {
                // The switchover is over: what has to wait later waits for another reason.
                switching = false;
                waited = held ? 1 + queue.size() : 0;
            }
            if (delivery != Delivery.TAKEN && delivery != Delivery.NOT_READY) {
                refused.accept(frame, delivery);
            }
        }
    }

    private static Delivery deliver(Frame frame, NetworkPort at) {
        return at.deliver(frame.bytes().duplicate());
    }

    private Frame next() {
        try {
            return queue.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            // Nobody interrupts this thread; whoever did wants it to end.
            closed = true;
            return null;
        }
    }
}
