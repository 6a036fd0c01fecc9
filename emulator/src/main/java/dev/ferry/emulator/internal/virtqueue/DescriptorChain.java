// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.virtqueue;

import dev.ferry.emulator.control.DmaSpace;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One descriptor chain as it was read from guest memory: device-readable buffers, then device-writable ones. What the
 * guest changes afterwards has no effect. Reused from chain to chain; guarded by the function's lock.
 */
public final class DescriptorChain {

    private static final int FIRST_CAPACITY = 4;

    private long[] addresses = new long[FIRST_CAPACITY];
    private int[] lengths = new int[FIRST_CAPACITY];
    private int count;
    private int readableCount;
    private int place;
    private int id;
    private long readableBytes;
    private long writableBytes;

    void begin(int newPlace) {
        place = newPlace;
        id = newPlace;
        count = 0;
        readableCount = 0;
        readableBytes = 0;
        writableBytes = 0;
    }

    void add(long address, int length, boolean writable) {
        if (length < 0) {
            throw new RingFault("a descriptor is 2 GiB long or longer");
        }
        if (!writable && count > readableCount) {
            throw new RingFault("a device-readable descriptor follows a device-writable one");
        }
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        addresses[count] = address;
        lengths[count] = length;
        count++;
        if (writable) {
            writableBytes += length;
        } else {
            readableCount++;
            readableBytes += length;
        }
    }

    /** Where it begins: a descriptor of a split virtqueue, a position in a packed one. */
    int place() {
        return place;
    }

    /** What the driver knows it by: in a split virtqueue its first descriptor, in a packed one a number of its own. */
    int id() {
        return id;
    }

    void id(int newId) {
        id = newId;
    }

    /** Bytes that the device may read. */
    public long readableBytes() {
        return readableBytes;
    }

    /** Bytes that the device may write. */
    public long writableBytes() {
        return writableBytes;
    }

    /**
     * The device-readable buffers as views, without empty ones.
     *
     * @param most bytes; what lies behind them is left out
     * @throws DmaSpace.DmaFault when one is not mapped
     */
    public ByteBuffer[] readable(DmaSpace dma, int most) {
        return views(0, readableCount, most, dma::readable);
    }

    /** The device-writable buffers as views, as {@link #readable}. */
    public ByteBuffer[] writable(DmaSpace dma, int most) {
        return views(readableCount, count, most, dma::writable);
    }

    @FunctionalInterface
    private interface Mapping {
        ByteBuffer view(long iova, int length);
    }

    private ByteBuffer[] views(int from, int to, int most, Mapping mapping) {
        List<ByteBuffer> views = new ArrayList<>(to - from);
        int left = most;
        for (int segment = from; segment < to && left > 0; segment++) {
            int length = Math.min(lengths[segment], left);
            if (length > 0) {
                views.add(mapping.view(addresses[segment], length));
            }
            left -= length;
        }
        return views.toArray(ByteBuffer[]::new);
    }

    /**
     * Device-readable bytes as one view; without a copy when they lie in one descriptor.
     *
     * @param from offset of the first byte
     * @param length 1 or more, within {@link #readableBytes}
     * @param gathered where to put them when they do not
     */
    public ByteBuffer read(DmaSpace dma, long from, int length, ScratchBuffer gathered) {
        int segment = 0;
        long skip = from;
        while (skip >= lengths[segment]) {
            skip -= lengths[segment++];
        }
        if (lengths[segment] - skip >= length) {
            return dma.readable(addresses[segment] + skip, length);
        }
        ByteBuffer whole = gathered.ofSize(length);
        while (whole.hasRemaining()) {
            int part = (int) Math.min(lengths[segment] - skip, whole.remaining());
            if (part > 0) {
                whole.put(dma.readable(addresses[segment] + skip, part));
            }
            skip = 0;
            segment++;
        }
        return whole.flip();
    }

    /**
     * Writes bytes to the device-writable buffers.
     *
     * @param to offset of the first byte, counted in device-writable bytes
     * @param source not changed
     * @param from index of the first byte in the source
     * @param length as many, within {@link #writableBytes}
     */
    public void write(DmaSpace dma, long to, ByteBuffer source, int from, int length) {
        int segment = readableCount;
        long skip = to;
        int done = 0;
        while (done < length) {
            int part = (int) Math.max(0, Math.min(lengths[segment] - skip, length - done));
            if (part > 0) {
                dma.writable(addresses[segment] + skip, part).put(0, source, from + done, part);
                done += part;
            }
            skip = Math.max(0, skip - lengths[segment]);
            segment++;
        }
    }
}
