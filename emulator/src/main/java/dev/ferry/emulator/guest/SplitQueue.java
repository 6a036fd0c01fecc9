// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.lang.invoke.VarHandle;

/**
 * The driver's side of one split virtqueue. Everything that changes lies in guest memory: the rings, and a record with
 * the free list of descriptors and the indices. Used by one thread at a time.
 *
 * <table>
 *   <caption>The record, little-endian, 64 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>4</td><td>size of the queue</td></tr>
 *   <tr><td>4</td><td>2</td><td>index of the queue</td></tr>
 *   <tr><td>6</td><td>2</td><td>first free descriptor</td></tr>
 *   <tr><td>8</td><td>2</td><td>number of free descriptors</td></tr>
 *   <tr><td>10</td><td>2</td><td>next index of the available ring</td></tr>
 *   <tr><td>12</td><td>2</td><td>next index of the used ring</td></tr>
 *   <tr><td>16</td><td>8</td><td>address of the rings</td></tr>
 *   <tr><td>24</td><td>8</td><td>address of what the queue's user keeps beside it</td></tr>
 *   <tr><td>32</td><td>4</td><td>BAR of the notification</td></tr>
 *   <tr><td>40</td><td>8</td><td>offset of the notification in the BAR</td></tr>
 * </table>
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Split Virtqueues"</a>
 */
final class SplitQueue {

    static final int RECORD_BYTES = 64;
    static final int PAGE_BYTES = 4096;

    /** virtq_desc.flags: the buffer continues. */
    static final int DESC_F_NEXT = 1;
    /** virtq_desc.flags: the device writes. */
    static final int DESC_F_WRITE = 2;

    private static final int SIZE = 0;
    private static final int INDEX = 4;
    private static final int FREE_HEAD = 6;
    private static final int NUM_FREE = 8;
    private static final int NEXT_AVAIL = 10;
    private static final int NEXT_USED = 12;
    private static final int RINGS = 16;
    private static final int USER_DATA = 24;
    private static final int NOTIFY_BAR = 32;
    private static final int NOTIFY_OFFSET = 40;

    private static final int DESC_BYTES = 16;
    private static final int DESC_LEN = 8;
    private static final int DESC_FLAGS = 12;
    private static final int DESC_NEXT = 14;
    private static final int RING_IDX = 2;
    private static final int RING_ENTRIES = 4;
    private static final int AVAIL_ENTRY_BYTES = 2;
    private static final int USED_ENTRY_BYTES = 8;
    private static final int USED_LEN = 4;
    private static final int USED_ALIGN = 4;
    private static final int EVENT_BYTES = 2;
    private static final int AVAIL_F_NO_INTERRUPT = 1;
    private static final int USED_F_NO_NOTIFY = 1;
    private static final int IDX_MASK = 0xFFFF;

    private final GuestRam ram;
    private final PciFunction function;
    private final long record;
    private final int size;
    private final int index;
    private final long desc;
    private final long avail;
    private final long used;
    private final BarRegion notify;

    /** The queue whose record lies at an address. */
    SplitQueue(GuestRam ram, PciFunction function, long record) {
        this.ram = ram;
        this.function = function;
        this.record = record;
        this.size = ram.u32(record + SIZE);
        this.index = ram.u16(record + INDEX);
        this.desc = ram.u64(record + RINGS);
        this.avail = desc + (long) size * DESC_BYTES;
        this.used = usedOf(avail, size);
        this.notify = new BarRegion(ram.u32(record + NOTIFY_BAR), ram.u64(record + NOTIFY_OFFSET));
    }

    /** Bytes of the rings of a queue. */
    static int ringBytes(int size) {
        long used = usedOf((long) size * DESC_BYTES, size);
        return (int) used + RING_ENTRIES + size * USED_ENTRY_BYTES + EVENT_BYTES;
    }

    /** Writes a record and empty rings. */
    static SplitQueue create(
            GuestRam ram, PciFunction function, long record, int index, int size, long rings, BarRegion notify) {
        ram.u32(record + SIZE, size);
        ram.u16(record + INDEX, index);
        ram.u64(record + RINGS, rings);
        ram.u64(record + USER_DATA, 0);
        ram.u32(record + NOTIFY_BAR, notify.bar());
        ram.u64(record + NOTIFY_OFFSET, notify.offset());
        SplitQueue queue = new SplitQueue(ram, function, record);
        queue.clear();
        return queue;
    }

    private static long usedOf(long avail, int size) {
        long end = avail + RING_ENTRIES + (long) size * AVAIL_ENTRY_BYTES + EVENT_BYTES;
        return (end + USED_ALIGN - 1) / USED_ALIGN * USED_ALIGN;
    }

    private void clear() {
        for (long address = desc; address < desc + ringBytes(size); address += 1) {
            ram.u8(address, 0);
        }
        for (int each = 0; each < size; each++) {
            ram.u16(desc(each) + DESC_NEXT, each + 1);
        }
        ram.u16(record + FREE_HEAD, 0);
        ram.u16(record + NUM_FREE, size);
        ram.u16(record + NEXT_AVAIL, 0);
        ram.u16(record + NEXT_USED, 0);
    }

    int index() {
        return index;
    }

    int size() {
        return size;
    }

    /** Address of the descriptor area. */
    long descriptorArea() {
        return desc;
    }

    /** Address of the driver area. */
    long driverArea() {
        return avail;
    }

    /** Address of the device area. */
    long deviceArea() {
        return used;
    }

    /** Address of what the queue's user keeps beside it. */
    long userData() {
        return ram.u64(record + USER_DATA);
    }

    void userData(long address) {
        ram.u64(record + USER_DATA, address);
    }

    int free() {
        return ram.u16(record + NUM_FREE);
    }

    int inFlight() {
        return size - free();
    }

    /** Takes a free descriptor and fills it; there must be one. */
    int describe(long address, int length, int flags) {
        int taken = ram.u16(record + FREE_HEAD);
        ram.u16(record + FREE_HEAD, ram.u16(desc(taken) + DESC_NEXT));
        ram.u16(record + NUM_FREE, free() - 1);
        ram.u64(desc(taken), address);
        ram.u32(desc(taken) + DESC_LEN, length);
        ram.u16(desc(taken) + DESC_FLAGS, flags);
        return taken;
    }

    /** Makes one descriptor the continuation of another. */
    void chain(int first, int next) {
        ram.u16(desc(first) + DESC_FLAGS, ram.u16(desc(first) + DESC_FLAGS) | DESC_F_NEXT);
        ram.u16(desc(first) + DESC_NEXT, next);
    }

    /** The address that a descriptor has. */
    long address(int descriptor) {
        return ram.u64(desc(descriptor));
    }

    /** The descriptor that continues one, or -1. */
    int next(int descriptor) {
        boolean last = (ram.u16(desc(descriptor) + DESC_FLAGS) & DESC_F_NEXT) == 0;
        return last ? -1 : ram.u16(desc(descriptor) + DESC_NEXT);
    }

    /** Puts a chain into the available ring; the device sees it after {@link #expose}. */
    void offer(int head) {
        int next = ram.u16(record + NEXT_AVAIL);
        ram.u16(avail + RING_ENTRIES + (long) (next % size) * AVAIL_ENTRY_BYTES, head);
        ram.u16(record + NEXT_AVAIL, next + 1);
    }

    /** Shows the device all that was offered, and notifies it unless it does not want that. */
    void expose() {
        VarHandle.releaseFence();
        ram.u16(avail + RING_IDX, ram.u16(record + NEXT_AVAIL));
        VarHandle.fullFence();
        if ((ram.u16(used) & USED_F_NO_NOTIFY) == 0) {
            kick();
        }
    }

    /** Notifies the device. */
    void kick() {
        function.writeBar(notify.bar(), notify.offset(), Short.BYTES, index);
    }

    /** Number of entries in the used ring that were not taken. */
    int usedEntries() {
        int entries = (ram.u16(used + RING_IDX) - ram.u16(record + NEXT_USED)) & IDX_MASK;
        VarHandle.acquireFence();
        if (entries > size) {
            throw new GuestFault("queue " + index + ": the device used " + entries + " of " + size + " buffers");
        }
        return entries;
    }

    /** Head of a used entry, counted from the first that was not taken. */
    int usedHead(int ahead) {
        int head = ram.u32(usedEntry(ahead));
        if (head < 0 || head >= size) {
            throw new GuestFault("queue " + index + ": the device used a buffer " + head + " that there is not");
        }
        return head;
    }

    /** Bytes that the device wrote. */
    int usedLength(int ahead) {
        return ram.u32(usedEntry(ahead) + USED_LEN);
    }

    /** Takes the first used entry: its descriptors are free again. */
    void takeUsed() {
        int head = usedHead(0);
        int last = head;
        int freed = 1;
        for (int next = next(last); next >= 0; next = next(last)) {
            last = next;
            if (++freed > size) {
                throw new GuestFault("queue " + index + ": the chain of buffer " + head + " has no end");
            }
        }
        ram.u16(desc(last) + DESC_NEXT, ram.u16(record + FREE_HEAD));
        ram.u16(record + FREE_HEAD, head);
        ram.u16(record + NUM_FREE, free() + freed);
        ram.u16(record + NEXT_USED, ram.u16(record + NEXT_USED) + 1);
    }

    /** Asks for interrupts, or for none; entries used before are not signalled any more, so look again. */
    void wantInterrupts(boolean wanted) {
        ram.u16(avail, wanted ? 0 : AVAIL_F_NO_INTERRUPT);
        VarHandle.fullFence();
    }

    private long usedEntry(int ahead) {
        int entry = (ram.u16(record + NEXT_USED) + ahead & IDX_MASK) % size;
        return used + RING_ENTRIES + (long) entry * USED_ENTRY_BYTES;
    }

    private long desc(int descriptor) {
        return desc + (long) descriptor * DESC_BYTES;
    }
}
