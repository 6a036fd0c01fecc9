// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.internal.virtqueue.DescriptorChain;
import dev.ferry.emulator.internal.virtqueue.RingFault;
import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts frames into receive buffers. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Processing of Incoming
 *     Packets"</a>
 */
final class Receiver {

    private final NetHeader header = new NetHeader();
    private final List<DescriptorChain> chains = new ArrayList<>(1);

    /** Gives memory back. */
    void release() {
        chains.clear();
    }

    /**
     * Puts one frame into one buffer, or into as many as it takes when buffers may be merged.
     *
     * @param ring within a section of work
     * @param hash of the frame
     * @return TAKEN, NOT_READY or TOO_LONG; nothing was written unless TAKEN
     */
    Delivery receive(Virtqueue ring, DmaSpace memory, ByteBuffer frame, ToeplitzHash hash, VirtioState state) {
        boolean merge = state.has(VirtioFeature.NET_MRG_RXBUF);
        int headerBytes = NetHeader.bytes(state);
        int needed = headerBytes + frame.remaining();
        int buffers = 0;
        long room = 0;
        while (room < needed) {
            if (buffers > 0 && !merge || buffers == ring.size()) {
                return Delivery.TOO_LONG;
            }
            if (!ring.isAvailable(buffers)) {
                return Delivery.NOT_READY;
            }
            room += next(ring, buffers++, headerBytes).writableBytes();
        }
        write(ring, memory, frame, buffers, header.of(buffers, hash), headerBytes);
        ring.publish(buffers);
        return Delivery.TAKEN;
    }

    private DescriptorChain next(Virtqueue ring, int ahead, int headerBytes) {
        if (ahead == chains.size()) {
            chains.add(new DescriptorChain());
        }
        DescriptorChain chain = chains.get(ahead);
        ring.read(ahead, chain);
        int least = ahead == 0 ? headerBytes : 1;
        if (chain.readableBytes() > 0 || chain.writableBytes() < least) {
            throw new RingFault("a receive buffer is device-readable or has no room for the header");
        }
        return chain;
    }

    private void write(
            Virtqueue ring, DmaSpace memory, ByteBuffer frame, int buffers, ByteBuffer netHeader, int headerBytes) {
        int from = frame.position();
        for (int i = 0; i < buffers; i++) {
            DescriptorChain chain = chains.get(i);
            int before = i == 0 ? headerBytes : 0;
            if (before > 0) {
                chain.write(memory, 0, netHeader, 0, before);
            }
            int part = (int) Math.min(chain.writableBytes() - before, frame.limit() - from);
            chain.write(memory, before, frame, from, part);
            from += part;
            ring.use(i, chain, before + part);
        }
    }
}
