// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/**
 * Forwards the frames of one receive queue to the transmit queue beside it, in order, without a copy: the buffers a
 * frame was received into become the chain it is transmitted from. A frame stays in the receive queue until the
 * transmit queue has room, and a buffer is posted again only after its frame has left. Runs on the guest's processor.
 *
 * <p>A pair without work of its own is put on hold at any step without loss: all it knows is in guest memory.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device", "Device
 *     Operation"</a>
 */
final class QueuePair {

    /** struct virtio_net_hdr with num_buffers. */
    static final int HDR_BYTES = 12;

    private static final int HDR_NUM_BUFFERS = 10;
    private static final int BUDGET = 64;

    private final GuestRam ram;
    private final DriverArea area;
    private final DriverQueue receive;
    private final DriverQueue transmit;
    private final BufferPool pool;

    QueuePair(GuestRam ram, DriverArea area, DriverQueue receive, DriverQueue transmit) {
        this.ram = ram;
        this.area = area;
        this.receive = receive;
        this.transmit = transmit;
        this.pool = new BufferPool(ram, receive.userData());
    }

    /** Puts all buffers into the receive queue, for the first time. */
    void start(long buffers, int count) {
        pool.clear();
        for (int buffer = count - 1; buffer >= 0; buffer--) {
            pool.put(buffers + (long) buffer * area.bufferBytes());
        }
        refill();
    }

    /** Tells the device to look at both queues, in case nobody told it before. */
    void kick() {
        receive.kick();
        transmit.kick();
    }

    /** One round; returns whether there is more to do at once. */
    boolean poll() {
        receive.wantInterrupts(false);
        transmit.wantInterrupts(false);
        reclaim();
        int forwarded = 0;
        while (forwarded < BUDGET && forward()) {
            forwarded++;
        }
        if (forwarded > 0) {
            area.forwarded(area.forwarded() + forwarded);
            transmit.expose();
            reclaim();
        }
        refill();
        return forwarded == BUDGET || sleep();
    }

    /** Asks to be woken by what the pair waits for; returns whether it came just before. */
    private boolean sleep() {
        boolean waitsForTransmit = transmit.inFlight() > 0;
        receive.wantInterrupts(true);
        transmit.wantInterrupts(waitsForTransmit);
        int buffers = frameBuffers();
        boolean canForward = buffers > 0 && buffers <= transmit.free();
        return canForward || waitsForTransmit && transmit.hasUsed(1);
    }

    /** Moves one frame; false when there is none, or no room for it. */
    private boolean forward() {
        int buffers = frameBuffers();
        if (buffers == 0 || buffers > transmit.free()) {
            return false;
        }
        int head = -1;
        int last = -1;
        for (int buffer = 0; buffer < buffers; buffer++) {
            long address = receive.address(receive.usedHead());
            int length = frameBytes(buffer == 0);
            receive.takeUsed();
            if (buffer == 0) {
                clearHeader(address);
            }
            int descriptor = transmit.describe(address, length, 0);
            if (head < 0) {
                head = descriptor;
            } else {
                transmit.chain(last, descriptor);
            }
            last = descriptor;
        }
        transmit.offer(head);
        return true;
    }

    /** Number of buffers of the next frame; 0 when there is none. */
    private int frameBuffers() {
        if (!receive.hasUsed(1)) {
            return 0;
        }
        int buffers = ram.u16(receive.address(receive.usedHead()) + HDR_NUM_BUFFERS);
        if (buffers == 0 || buffers > receive.size()) {
            throw new GuestFault("queue " + receive.index() + ": a frame in " + buffers + " buffers was received");
        }
        return receive.hasUsed(buffers) ? buffers : 0;
    }

    private int frameBytes(boolean first) {
        int length = receive.usedLength();
        if (length < (first ? HDR_BYTES : 0) || length > area.bufferBytes()) {
            throw new GuestFault("queue " + receive.index() + ": " + length + " bytes were received into a buffer of "
                    + area.bufferBytes());
        }
        return length;
    }

    private void clearHeader(long address) {
        ram.u64(address, 0);
        ram.u32(address + Long.BYTES, 0);
    }

    private void reclaim() {
        while (transmit.hasUsed(1)) {
            int descriptor = transmit.usedHead();
            // The addresses outlive takeUsed, which only relinks the last descriptor.
            transmit.takeUsed();
            for (; descriptor >= 0; descriptor = transmit.next(descriptor)) {
                pool.put(transmit.address(descriptor));
            }
        }
    }

    private void refill() {
        boolean offered = false;
        while (receive.free() > 0 && !pool.isEmpty()) {
            receive.offer(receive.describe(pool.take(), area.bufferBytes(), DriverQueue.DESC_F_WRITE));
            offered = true;
        }
        if (offered) {
            receive.expose();
        }
    }
}
