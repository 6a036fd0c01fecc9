// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.lang.invoke.VarHandle;

/**
 * The driver's side of one virtqueue, of either format. Everything that changes lies in guest memory: the rings, a
 * table of descriptors, and a record with the free list of descriptors and the positions. Used by one thread at a time.
 *
 * <table>
 *   <caption>The record, little-endian, 64 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>4</td><td>size of the queue</td></tr>
 *   <tr><td>4</td><td>2</td><td>index of the queue</td></tr>
 *   <tr><td>6</td><td>2</td><td>first free descriptor</td></tr>
 *   <tr><td>8</td><td>2</td><td>number of free descriptors</td></tr>
 *   <tr><td>10</td><td>2</td><td>where the next buffer is made available</td></tr>
 *   <tr><td>12</td><td>2</td><td>where the next buffer is used</td></tr>
 *   <tr><td>16</td><td>8</td><td>address of the rings</td></tr>
 *   <tr><td>24</td><td>8</td><td>address of what the queue's user keeps beside it</td></tr>
 *   <tr><td>32</td><td>4</td><td>BAR of the notification</td></tr>
 *   <tr><td>40</td><td>8</td><td>offset of the notification in the BAR</td></tr>
 * </table>
 */
abstract sealed class DriverQueue permits SplitQueue, PackedQueue {

    static final int RECORD_BYTES = 64;
    static final int PAGE_BYTES = 4096;

    /** The buffer continues. */
    static final int DESC_F_NEXT = 1;
    /** The device writes. */
    static final int DESC_F_WRITE = 2;

    /** Bytes of a descriptor. */
    static final int DESC_BYTES = 16;
    /** Offset of its length; the address is at 0. */
    static final int DESC_LEN = 8;

    private static final int DESC_FLAGS = 12;
    private static final int DESC_NEXT = 14;

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

    private final GuestRam ram;
    private final PciFunction function;
    private final long record;
    private final int size;
    private final int index;
    private final long rings;
    private final BarRegion notify;

    /** The queue whose record lies at an address. */
    DriverQueue(GuestRam ram, PciFunction function, long record) {
        this.ram = ram;
        this.function = function;
        this.record = record;
        this.size = ram.u32(record + SIZE);
        this.index = ram.u16(record + INDEX);
        this.rings = ram.u64(record + RINGS);
        this.notify = new BarRegion(ram.u32(record + NOTIFY_BAR), ram.u64(record + NOTIFY_OFFSET));
    }

    /** The queue whose record lies at an address. */
    static DriverQueue at(GuestRam ram, PciFunction function, long record, boolean packed) {
        return packed ? new PackedQueue(ram, function, record) : new SplitQueue(ram, function, record);
    }

    /** Bytes of the rings of a queue and of the table of descriptors. */
    static int ringBytes(int size, boolean packed) {
        return packed ? PackedQueue.ringBytes(size) : SplitQueue.ringBytes(size);
    }

    /** Writes a record and empty rings. */
    static DriverQueue create(
            GuestRam ram,
            PciFunction function,
            long record,
            int index,
            int size,
            long rings,
            BarRegion notify,
            boolean packed) {
        ram.u32(record + SIZE, size);
        ram.u16(record + INDEX, index);
        ram.u64(record + RINGS, rings);
        ram.u64(record + USER_DATA, 0);
        ram.u32(record + NOTIFY_BAR, notify.bar());
        ram.u64(record + NOTIFY_OFFSET, notify.offset());
        ram.clear(rings, ringBytes(size, packed));
        DriverQueue queue = at(ram, function, record, packed);
        for (int each = 0; each < size; each++) {
            ram.u16(queue.desc(each) + DESC_NEXT, each + 1);
        }
        ram.u16(record + FREE_HEAD, 0);
        ram.u16(record + NUM_FREE, size);
        queue.nextAvail(queue.firstPosition());
        queue.nextUsed(queue.firstPosition());
        return queue;
    }

    GuestRam ram() {
        return ram;
    }

    int index() {
        return index;
    }

    int size() {
        return size;
    }

    long rings() {
        return rings;
    }

    int nextAvail() {
        return ram.u16(record + NEXT_AVAIL);
    }

    void nextAvail(int position) {
        ram.u16(record + NEXT_AVAIL, position);
    }

    int nextUsed() {
        return ram.u16(record + NEXT_USED);
    }

    void nextUsed(int position) {
        ram.u16(record + NEXT_USED, position);
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
        ram.u16(desc(first) + DESC_FLAGS, flags(first) | DESC_F_NEXT);
        ram.u16(desc(first) + DESC_NEXT, next);
    }

    /** The address that a descriptor has. */
    long address(int descriptor) {
        return ram.u64(desc(descriptor));
    }

    /** The length that a descriptor has. */
    int length(int descriptor) {
        return ram.u32(desc(descriptor) + DESC_LEN);
    }

    /** The flags that a descriptor has. */
    int flags(int descriptor) {
        return ram.u16(desc(descriptor) + DESC_FLAGS);
    }

    /** The descriptor that continues one, or -1. */
    int next(int descriptor) {
        boolean last = (flags(descriptor) & DESC_F_NEXT) == 0;
        return last ? -1 : ram.u16(desc(descriptor) + DESC_NEXT);
    }

    /** Notifies the device. */
    void kick() {
        function.writeBar(notify.bar(), notify.offset(), Short.BYTES, index);
    }

    /** Shows the device all that was offered, and notifies it unless it does not want that. */
    void expose() {
        VarHandle.releaseFence();
        show();
        VarHandle.fullFence();
        if (wantsNotifications()) {
            kick();
        }
    }

    /** Whether the device used so many buffers that were not taken. */
    boolean hasUsed(int buffers) {
        boolean used = isUsed(buffers);
        VarHandle.acquireFence();
        return used;
    }

    /** Head of the chain of the first used buffer that was not taken. */
    int usedHead() {
        int head = usedId();
        if (head < 0 || head >= size) {
            throw new GuestFault("queue " + index + ": the device used a buffer " + head + " that there is not");
        }
        return head;
    }

    /** Takes the first used buffer: its descriptors are free again. */
    void takeUsed() {
        int head = usedHead();
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
        passUsed(freed);
    }

    private long desc(int descriptor) {
        return table() + (long) descriptor * DESC_BYTES;
    }

    /** Address of the descriptor area. */
    abstract long descriptorArea();

    /** Address of the driver area. */
    abstract long driverArea();

    /** Address of the device area. */
    abstract long deviceArea();

    /** Address of the table of descriptors, which the driver keeps. */
    abstract long table();

    /** Where both positions begin. */
    abstract int firstPosition();

    /** Offers a chain; the device sees it with {@link #expose} at the latest. */
    abstract void offer(int head);

    /** Shows the device all that was offered. */
    abstract void show();

    /** Whether the device wants to be notified. */
    abstract boolean wantsNotifications();

    abstract boolean isUsed(int buffers);

    /** What the device says was used, unchecked. */
    abstract int usedId();

    /** Bytes that the device wrote into the first used buffer. */
    abstract int usedLength();

    /** Moves on behind the first used buffer, which had so many descriptors. */
    abstract void passUsed(int descriptors);

    /** Asks for interrupts, or for none; entries used before are not signalled any more, so look again. */
    abstract void wantInterrupts(boolean wanted);
}
