// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.virtqueue;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.VirtqueueConfig;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The device side of one packed virtqueue. A used descriptor is written over the first one of its chain, since chains
 * are used in order.
 *
 * <p>Positions are counted over two rounds of the ring, 0 to twice the size: in the first the wrap counter is 1, in the
 * second 0.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Packed Virtqueues"</a>
 */
public final class PackedRing implements Virtqueue {

    /** Alignment of the descriptor ring. */
    public static final int DESC_ALIGNMENT = 16;
    /** Alignment of the driver's and of the device's event suppression structure. */
    public static final int EVENT_ALIGNMENT = 4;

    private static final int DESC_BYTES = 16;
    private static final int DESC_LEN = 8;
    private static final int DESC_ID = 12;
    private static final int DESC_FLAGS = 14;
    private static final int DESC_F_NEXT = 1;
    private static final int DESC_F_WRITE = 2;
    private static final int DESC_F_INDIRECT = 4;
    private static final int DESC_F_AVAIL = 1 << 7;
    private static final int DESC_F_USED = 1 << 15;

    private static final int EVENT_BYTES = 4;
    private static final int EVENT_OFF_WRAP = 0;
    private static final int EVENT_FLAGS = 2;
    private static final int EVENT_FLAGS_MASK = 3;
    private static final int EVENT_F_ENABLE = 0;
    private static final int EVENT_F_DISABLE = 1;
    private static final int EVENT_F_DESC = 2;

    private final VirtqueueConfig config;
    private final int size;
    private final boolean indirect;
    private final boolean eventIdx;

    private DmaSpace dma;
    private ByteBuffer desc;
    private ByteBuffer driverEvent;
    private ByteBuffer deviceEvent;

    private int next;
    /** Behind the chains that were read and not published. */
    private int cursor;
    private int chainsRead;
    private int firstUsedFlags;
    private int signalled;
    private boolean signalledKnown;

    /**
     * A ring as the driver set it up.
     *
     * @param position where it goes on, as {@link #lastAvail} gives it; {@link PackedVirtqueuePosition#INITIAL} when it
     *     was enabled just now
     */
    public PackedRing(VirtqueueConfig config, boolean indirect, boolean eventIdx, int position) {
        this.config = config;
        this.size = config.size();
        this.indirect = indirect;
        this.eventIdx = eventIdx;
        this.next = ofWire(position);
        this.cursor = next;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void begin(DmaSpace memory) {
        desc = memory.writable(config.desc(), size * DESC_BYTES);
        driverEvent = memory.readable(config.driver(), EVENT_BYTES);
        deviceEvent = memory.writable(config.device(), EVENT_BYTES);
        dma = memory;
        rewind();
    }

    @Override
    public void end() {
        dma = null;
        desc = null;
        driverEvent = null;
        deviceEvent = null;
    }

    @Override
    public boolean isAvailable(int ahead) {
        seek(ahead);
        return distance(next, cursor) < size && isAvailableAt(cursor);
    }

    /** The driver writes the flags of a chain's first descriptor last; so the others are visible after this. */
    private boolean isAvailableAt(int position) {
        int flags = u16(desc, at(position) + DESC_FLAGS);
        VarHandle.acquireFence();
        boolean avail = (flags & DESC_F_AVAIL) != 0;
        boolean used = (flags & DESC_F_USED) != 0;
        return avail == wrapCounter(position) && used != wrapCounter(position);
    }

    @Override
    public void read(int ahead, DescriptorChain chain) {
        seek(ahead);
        int first = cursor;
        int position = first;
        chain.begin(first);
        // All chains together are no longer than the queue, so that this also ends every loop a driver could build.
        for (int length = distance(next, first) + 1; length <= size; length++) {
            int at = at(position);
            int flags = u16(desc, at + DESC_FLAGS);
            if ((flags & DESC_F_INDIRECT) == 0) {
                chain.add(desc.getLong(at), desc.getInt(at + DESC_LEN), (flags & DESC_F_WRITE) != 0);
            } else if (position != first || (flags & DESC_F_NEXT) != 0) {
                throw new RingFault("an indirect descriptor is one of a list");
            } else {
                readIndirect(at, chain);
            }
            position = after(position);
            if ((flags & DESC_F_NEXT) == 0) {
                chain.id(u16(desc, at + DESC_ID));
                cursor = position;
                chainsRead++;
                return;
            }
        }
        throw new RingFault("the descriptor chains are longer than the queue, or have no end");
    }

    /** Of the descriptors in an indirect table only VIRTQ_DESC_F_WRITE counts, and all belong to the chain. */
    private void readIndirect(int at, DescriptorChain chain) {
        if (!indirect) {
            throw new RingFault("an indirect descriptor is used without VIRTIO_F_INDIRECT_DESC");
        }
        int length = desc.getInt(at + DESC_LEN);
        if (length <= 0 || length % DESC_BYTES != 0) {
            throw new RingFault("an indirect table is not a whole number of descriptors long");
        }
        if (length / DESC_BYTES > size) {
            throw new RingFault("an indirect table is longer than the queue");
        }
        ByteBuffer table = dma.readable(desc.getLong(at), length);
        for (int entry = 0; entry < length; entry += DESC_BYTES) {
            boolean writable = (u16(table, entry + DESC_FLAGS) & DESC_F_WRITE) != 0;
            chain.add(table.getLong(entry), table.getInt(entry + DESC_LEN), writable);
        }
    }

    @Override
    public void use(int ahead, DescriptorChain chain, int written) {
        int position = chain.place();
        int at = at(position);
        desc.putInt(at + DESC_LEN, written).putShort(at + DESC_ID, (short) chain.id());
        int flags = (wrapCounter(position) ? DESC_F_AVAIL | DESC_F_USED : 0) | (written > 0 ? DESC_F_WRITE : 0);
        if (ahead == 0) {
            firstUsedFlags = flags;
        } else {
            desc.putShort(at + DESC_FLAGS, (short) flags);
        }
    }

    /** The first descriptor is marked last: a driver looks at no other before. */
    @Override
    public void publish(int chains) {
        VarHandle.releaseFence();
        desc.putShort(at(next) + DESC_FLAGS, (short) firstUsedFlags);
        next = cursor;
        rewind();
    }

    @Override
    public int availableUntilNotified() {
        int position = next;
        int chains = 0;
        // Nothing is used meanwhile, so a driver runs out of descriptors.
        do {
            while (distance(next, position) < size && isAvailableAt(position)) {
                position = afterChain(position);
                chains++;
            }
            askForNotificationAt(position);
            VarHandle.fullFence();
        } while (distance(next, position) < size && isAvailableAt(position));
        return chains;
    }

    private int afterChain(int first) {
        int position = first;
        for (int length = distance(next, first) + 1; length <= size; length++) {
            boolean last = (u16(desc, at(position) + DESC_FLAGS) & DESC_F_NEXT) == 0;
            position = after(position);
            if (last) {
                return position;
            }
        }
        throw new RingFault("the descriptor chains are longer than the queue, or have no end");
    }

    private void askForNotificationAt(int position) {
        deviceEvent.putShort(EVENT_OFF_WRAP, (short) toWire(position));
        VarHandle.releaseFence();
        deviceEvent.putShort(EVENT_FLAGS, (short) (eventIdx ? EVENT_F_DESC : EVENT_F_ENABLE));
    }

    @Override
    public boolean interruptDue() {
        VarHandle.fullFence();
        int before = signalled;
        boolean beforeKnown = signalledKnown;
        signalled = next;
        signalledKnown = true;
        int flags = u16(driverEvent, EVENT_FLAGS) & EVENT_FLAGS_MASK;
        VarHandle.acquireFence();
        if (flags != EVENT_F_DESC || !eventIdx) {
            return flags != EVENT_F_DISABLE;
        }
        int wanted = ofWire(u16(driverEvent, EVENT_OFF_WRAP));
        return !beforeKnown || distance(before, wanted) < distance(before, next);
    }

    @Override
    public int lastAvail() {
        return toWire(next);
    }

    private void seek(int ahead) {
        if (ahead == 0) {
            rewind();
        } else if (ahead != chainsRead) {
            throw new IllegalArgumentException("chain " + ahead + " ahead after " + chainsRead + " were read");
        }
    }

    private void rewind() {
        cursor = next;
        chainsRead = 0;
    }

    private int at(int position) {
        return (position < size ? position : position - size) * DESC_BYTES;
    }

    private boolean wrapCounter(int position) {
        return position < size;
    }

    private int after(int position) {
        return position + 1 == 2 * size ? 0 : position + 1;
    }

    /** How many descriptors lie from one position to another. */
    private int distance(int from, int to) {
        return Math.floorMod(to - from, 2 * size);
    }

    private int toWire(int position) {
        return wrapCounter(position) ? position | PackedVirtqueuePosition.WRAP_COUNTER : position - size;
    }

    private int ofWire(int position) {
        int descriptor = PackedVirtqueuePosition.descriptor(position);
        return PackedVirtqueuePosition.wrapCounter(position) ? descriptor : descriptor + size;
    }

    private static int u16(ByteBuffer memory, int offset) {
        return Short.toUnsignedInt(memory.getShort(offset));
    }
}
