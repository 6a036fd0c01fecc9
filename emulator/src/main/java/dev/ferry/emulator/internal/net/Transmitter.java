// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import dev.ferry.emulator.internal.virtqueue.DescriptorChain;
import dev.ferry.emulator.internal.virtqueue.RingFault;
import dev.ferry.emulator.internal.virtqueue.ScratchBuffer;
import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes frames out of transmit buffers. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Packet Transmission"</a>
 */
final class Transmitter {

    private static final Logger LOG = LoggerFactory.getLogger(Transmitter.class);

    private final ScratchBuffer scratch;
    private final DescriptorChain chain = new DescriptorChain();
    private FrameSink sink = frame -> {};

    Transmitter(ScratchBuffer scratch) {
        this.scratch = scratch;
    }

    void connect(FrameSink newSink) {
        sink = newSink;
    }

    /**
     * Transmits the next frame of a ring and uses its buffer. What is no Ethernet frame is used all the same, and goes
     * nowhere, as on a wire.
     *
     * @param ring within a section of work, with a chain available
     * @param headerBytes of {@link NetHeader} before the frame
     */
    void transmit(Virtqueue ring, DmaSpace memory, int headerBytes) {
        ring.read(0, chain);
        if (chain.writableBytes() > 0 || chain.readableBytes() < headerBytes) {
            throw new RingFault("a transmit buffer is device-writable or has no header");
        }
        long length = chain.readableBytes() - headerBytes;
        if (length >= Ethernet.HEADER_BYTES && length <= Ethernet.MAX_FRAME_BYTES) {
            send(memory, headerBytes, (int) length);
        }
        ring.use(0, chain, 0);
        ring.publish(1);
    }

    private void send(DmaSpace memory, int from, int length) {
        var frame = chain.read(memory, from, length, scratch);
        try {
            sink.transmitted(frame);
        } catch (RuntimeException e) {
            // The guest's notification must not fail because of the network behind the device.
            LOG.warn("the receiver of a device's frames failed; a frame is lost", e);
        }
    }
}
