// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.exerciser;

import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.emulator.guest.VirtioNetGuest;
import dev.ferry.migration.Guest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest that forwards already when this is made, and numbered frames through it: each goes to whichever of the two
 * devices takes it, as in a network that has learnt where the guest is. Owns one thread.
 */
final class Traffic {
    private static final int RAM_BYTES = 2 << 20;
    private static final int FRAME_BYTES = 64;
    private static final int HEADER_BYTES = 14;
    private static final int ETHER_TYPE_OFFSET = 12;
    private static final short ETHER_TYPE = (short) 0x88B5;
    private static final int WINDOW = 32;
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long RETRY_NANOS = 200_000;

    private record Received(long number, boolean atDestination) {}

    private final MemberPort source;
    private final MemberPort destination;
    private final VirtioNetGuest sourceGuest;
    private final VirtioNetGuest destinationGuest;
    private final List<Received> received = new ArrayList<>();
    private final AtomicBoolean sending = new AtomicBoolean(true);
    private final Thread sender;
    private volatile long sent;
    private volatile long receivedCount;

    Traffic(MemberPort source, MemberPort destination) throws IOException {
        this.source = source;
        this.destination = destination;
        source.port().connect(frame -> take(frame, false));
        destination.port().connect(frame -> take(frame, true));
        sourceGuest = VirtioNetGuest.boot(source.function(), GuestRam.allocate(RAM_BYTES));
        destinationGuest = VirtioNetGuest.attach(destination.function(), GuestRam.allocate(RAM_BYTES));
        sender = new Thread(this::send, "ferry-itest-traffic");
        sender.start();
        awaitReceived(WINDOW);
    }

    Guest[] guests() {
        return new Guest[] {sourceGuest, destinationGuest};
    }

    private void take(ByteBuffer transmitted, boolean atDestination) {
        ByteBuffer frame = transmitted.duplicate();
        if (frame.remaining() == FRAME_BYTES && frame.getShort(frame.position() + ETHER_TYPE_OFFSET) == ETHER_TYPE) {
            synchronized (received) {
                received.add(new Received(frame.getLong(frame.position() + HEADER_BYTES), atDestination));
                receivedCount = received.size();
            }
        }
    }

    private void send() {
        while (sending.get()) {
            if (sent - receivedCount < WINDOW && deliver(frame(sent))) {
                sent = sent + 1;
            } else {
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private boolean deliver(ByteBuffer frame) {
        return source.port().deliver(frame.duplicate()) == NetworkPort.Delivery.TAKEN
                || destination.port().deliver(frame.duplicate()) == NetworkPort.Delivery.TAKEN;
    }

    private static ByteBuffer frame(long number) {
        ByteBuffer frame = ByteBuffer.allocate(FRAME_BYTES);
        for (int i = 0; i < ETHER_TYPE_OFFSET; i++) {
            frame.put(i, (byte) (i < 6 ? 0xFF : 0x02));
        }
        return frame.putShort(ETHER_TYPE_OFFSET, ETHER_TYPE).putLong(HEADER_BYTES, number);
    }

    /** Sends a few frames more wherever the guest is now, waits for all, and counts. */
    String finish() throws InterruptedException {
        if (sending.get()) {
            awaitReceived(sent + WINDOW);
            quiet();
        }
        synchronized (received) {
            return count();
        }
    }

    /** Sends no more, and waits until all frames came through. */
    String quiet() throws InterruptedException {
        sending.set(false);
        sender.join();
        awaitReceived(sent);
        return receivedCount + " of " + sent;
    }

    private void awaitReceived(long goal) {
        long end = System.nanoTime() + LIMIT_NANOS;
        while (receivedCount < goal && System.nanoTime() < end) {
            LockSupport.parkNanos(RETRY_NANOS);
        }
    }

    private String count() {
        Set<Long> seen = new HashSet<>();
        int duplicated = 0;
        int reordered = 0;
        long last = -1;
        long atDestination = 0;
        for (Received frame : received) {
            duplicated += seen.add(frame.number()) ? 0 : 1;
            reordered += frame.number() < last ? 1 : 0;
            last = Math.max(last, frame.number());
            atDestination += frame.atDestination() ? 1 : 0;
        }
        return "lost=%d duplicated=%d reordered=%d source=%s destination=%s"
                .formatted(
                        sent - seen.size(), duplicated, reordered,
                        received.size() > atDestination ? "some" : "none",
                        atDestination > 0 ? "some" : "none")
                + sourceGuest.failure().map(failure -> " source guest: " + failure).orElse("")
                + destinationGuest.failure().map(failure -> " destination guest: " + failure).orElse("");
    }

    /** Ends the traffic and both guests. */
    void close() throws Exception {
        sending.set(false);
        sender.join();
        source.port().connect(frame -> {});
        destination.port().connect(frame -> {});
        try {
            sourceGuest.close();
        } finally {
            destinationGuest.close();
        }
    }
}
