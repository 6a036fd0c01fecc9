// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.virtqueue;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.virtio.VirtqueueConfig;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The device side of one split virtqueue. Every chain is used before the next section of work ends, in order, so one
 * index is both the next available and the next used one.
 *
 * <p>Guarded by the function's lock. Between {@link #begin} and {@link #end} it holds views of guest memory; outside it
 * holds none, so that an address which is unmapped is not touched again.
 *
 * <p>Order against the driver, which runs on other threads, is by fences: heap buffers allow no other than plain
 * accesses. Aligned 16-bit accesses are not torn.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Split Virtqueues"</a>
 */
public final class SplitRing implements Virtqueue {

    /** Alignment of the descriptor table. */
    public static final int DESC_ALIGNMENT = 16;
    /** Alignment of the available ring. */
    public static final int AVAIL_ALIGNMENT = 2;
    /** Alignment of the used ring. */
    public static final int USED_ALIGNMENT = 4;

    private static final int DESC_BYTES = 16;
    private static final int DESC_LEN = 8;
    private static final int DESC_FLAGS = 12;
    private static final int DESC_NEXT = 14;
    private static final int DESC_F_NEXT = 1;
    private static final int DESC_F_WRITE = 2;
    private static final int DESC_F_INDIRECT = 4;

    private static final int AVAIL_FLAGS = 0;
    private static final int AVAIL_F_NO_INTERRUPT = 1;
    private static final int IDX = 2;
    private static final int RING = 4;
    private static final int AVAIL_ELEM_BYTES = 2;
    private static final int USED_ELEM_BYTES = 8;
    private static final int USED_ELEM_LEN = 4;
    private static final int EVENT_BYTES = 2;

    private static final int INDEX_MASK = 0xFFFF;

    private final VirtqueueConfig config;
    private final boolean indirect;
    private final boolean eventIdx;

    private DmaSpace dma;
    private ByteBuffer desc;
    private ByteBuffer avail;
    private ByteBuffer used;

    private int next;
    private int signalled;
    private boolean signalledKnown;

    /**
     * A ring as the driver set it up.
     *
     * @param position index at which it goes on, {@link #UNKNOWN} for the one that used.idx in guest memory says, as
     *     after a migration
     */
    public SplitRing(VirtqueueConfig config, boolean indirect, boolean eventIdx, int position) {
        this.config = config;
        this.indirect = indirect;
        this.eventIdx = eventIdx;
        this.next = position;
    }

    @Override
    public int size() {
        return config.size();
    }

    @Override
    public void begin(DmaSpace memory) {
        int size = config.size();
        desc = memory.readable(config.desc(), size * DESC_BYTES);
        avail = memory.readable(config.driver(), RING + size * AVAIL_ELEM_BYTES + EVENT_BYTES);
        used = memory.writable(config.device(), RING + size * USED_ELEM_BYTES + EVENT_BYTES);
        dma = memory;
        if (next == UNKNOWN) {
            next = u16(used, IDX);
        }
    }

    @Override
    public void end() {
        dma = null;
        desc = null;
        avail = null;
        used = null;
    }

    /**
     * How many chains the driver has made available; what they hold is visible after this.
     *
     * @throws RingFault when more than there are descriptors
     */
    public int available() {
        int count = u16(avail, IDX) - next & INDEX_MASK;
        VarHandle.acquireFence();
        if (count > config.size()) {
            throw new RingFault("the available index is " + count + " ahead in a ring of " + config.size());
        }
        return count;
    }

    @Override
    public boolean isAvailable(int ahead) {
        return ahead < available();
    }

    @Override
    public void read(int ahead, DescriptorChain chain) {
        int head = u16(avail, RING + slot(ahead) * AVAIL_ELEM_BYTES);
        chain.begin(head);
        ByteBuffer table = desc;
        int entries = config.size();
        int index = head;
        // A chain may be no longer than the queue, so that this also ends every loop a driver could build.
        for (int length = 1; length <= config.size(); length++) {
            if (index >= entries) {
                throw new RingFault("a descriptor index is " + index + " in a table of " + entries);
            }
            int at = index * DESC_BYTES;
            int flags = u16(table, at + DESC_FLAGS);
            if ((flags & DESC_F_INDIRECT) != 0) {
                table = indirectTable(table, at, flags);
                entries = table.capacity() / DESC_BYTES;
                index = 0;
                length--;
                continue;
            }
            chain.add(table.getLong(at), table.getInt(at + DESC_LEN), (flags & DESC_F_WRITE) != 0);
            if ((flags & DESC_F_NEXT) == 0) {
                return;
            }
            index = u16(table, at + DESC_NEXT);
        }
        throw new RingFault("a descriptor chain is longer than the queue, or has no end");
    }

    private ByteBuffer indirectTable(ByteBuffer table, int at, int flags) {
        if (!indirect) {
            throw new RingFault("an indirect descriptor is used without VIRTIO_F_INDIRECT_DESC");
        }
        if (table != desc || (flags & DESC_F_NEXT) != 0) {
            throw new RingFault("an indirect descriptor lies in an indirect table or has a next one");
        }
        int length = table.getInt(at + DESC_LEN);
        if (length <= 0 || length % DESC_BYTES != 0) {
            throw new RingFault("an indirect table is not a whole number of descriptors long");
        }
        return dma.readable(table.getLong(at), length);
    }

    @Override
    public void use(int ahead, DescriptorChain chain, int written) {
        int at = RING + slot(ahead) * USED_ELEM_BYTES;
        used.putInt(at, chain.id()).putInt(at + USED_ELEM_LEN, written);
    }

    @Override
    public void publish(int chains) {
        next = next + chains & INDEX_MASK;
        VarHandle.releaseFence();
        used.putShort(IDX, (short) next);
    }

    @Override
    public int availableUntilNotified() {
        int count = available();
        // Nothing is used meanwhile, so a driver runs out of descriptors; one that breaks the rules gets no more looks.
        for (int look = 0; look <= config.size(); look++) {
            if (eventIdx) {
                used.putShort(RING + config.size() * USED_ELEM_BYTES, (short) (next + count));
            }
            VarHandle.fullFence();
            int now = available();
            if (now == count) {
                break;
            }
            count = now;
        }
        return count;
    }

    @Override
    public boolean interruptDue() {
        VarHandle.fullFence();
        int before = signalled;
        boolean beforeKnown = signalledKnown;
        signalled = next;
        signalledKnown = true;
        if (!eventIdx) {
            return (u16(avail, AVAIL_FLAGS) & AVAIL_F_NO_INTERRUPT) == 0;
        }
        int usedEvent = u16(avail, RING + config.size() * AVAIL_ELEM_BYTES);
        return !beforeKnown || (next - usedEvent - 1 & INDEX_MASK) < (next - before & INDEX_MASK);
    }

    @Override
    public int lastAvail() {
        return next;
    }

    private int slot(int ahead) {
        return next + ahead & config.size() - 1;
    }

    private static int u16(ByteBuffer memory, int offset) {
        return Short.toUnsignedInt(memory.getShort(offset));
    }
}
