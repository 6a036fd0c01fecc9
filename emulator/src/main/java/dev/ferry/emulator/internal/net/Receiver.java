// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.internal.virtqueue.DescriptorChain;
import dev.ferry.emulator.internal.virtqueue.RingFault;
import dev.ferry.emulator.internal.virtqueue.SplitRing;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts frames into receive buffers. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Processing of Incoming
 *     Packets"</a>
 */
final class Receiver {

    private static final int NUM_BUFFERS_OFFSET = 10;

    /** flags, gso_type, hdr_len, gso_size, csum_start and csum_offset stay 0: no offloads are offered. */
    private final ByteBuffer header =
            ByteBuffer.allocate(Transmitter.NET_HDR_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private final List<DescriptorChain> chains = new ArrayList<>(1);

    /** Gives memory back. */
    void release() {
        chains.clear();
    }

    /**
     * Puts one frame into one buffer, or into as many as it takes when buffers may be merged.
     *
     * @param ring within a section of work
     * @param headerBytes of struct virtio_net_hdr; without num_buffers when buffers are not merged and a legacy driver
     *     has the device
     * @return TAKEN, NOT_READY or TOO_LONG; nothing was written unless TAKEN
     */
    Delivery receive(SplitRing ring, DmaSpace memory, ByteBuffer frame, int headerBytes, boolean merge) {
        int needed = headerBytes + frame.remaining();
        int available = ring.available();
        int buffers = 0;
        long room = 0;
        while (room < needed) {
            if (buffers > 0 && !merge || buffers == ring.size()) {
                return Delivery.TOO_LONG;
            }
            if (buffers == available) {
                return Delivery.NOT_READY;
            }
            room += next(ring, buffers, buffers == 0 ? headerBytes : 1).writableBytes();
            buffers++;
        }
        header.putShort(NUM_BUFFERS_OFFSET, (short) buffers);
        write(ring, memory, frame, headerBytes, buffers);
        ring.publish(buffers);
        return Delivery.TAKEN;
    }

    private DescriptorChain next(SplitRing ring, int ahead, int least) {
        if (ahead == chains.size()) {
            chains.add(new DescriptorChain());
        }
        DescriptorChain chain = chains.get(ahead);
        ring.read(ahead, chain);
        if (chain.readableBytes() > 0 || chain.writableBytes() < least) {
            throw new RingFault("a receive buffer is device-readable or has no room for the header");
        }
        return chain;
    }

    private void write(SplitRing ring, DmaSpace memory, ByteBuffer frame, int netHdrBytes, int buffers) {
        int from = frame.position();
        int left = frame.remaining();
        for (int i = 0; i < buffers; i++) {
            DescriptorChain chain = chains.get(i);
            int headerBytes = i == 0 ? netHdrBytes : 0;
            if (headerBytes > 0) {
                chain.write(memory, 0, header, 0, headerBytes);
            }
            int part = (int) Math.min(chain.writableBytes() - headerBytes, left);
            chain.write(memory, headerBytes, frame, from, part);
            from += part;
            left -= part;
            ring.use(i, chain, headerBytes + part);
        }
    }
}
