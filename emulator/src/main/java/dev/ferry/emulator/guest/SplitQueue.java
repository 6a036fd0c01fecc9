// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.lang.invoke.VarHandle;

/**
 * The driver's side of one split virtqueue. The table of descriptors is the device's; positions are ring indices.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Split Virtqueues"</a>
 */
final class SplitQueue extends DriverQueue {

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

    private final long avail;
    private final long used;

    SplitQueue(GuestRam ram, PciFunction function, long record) {
        super(ram, function, record);
        this.avail = rings() + (long) size() * DESC_BYTES;
        this.used = usedOf(avail, size());
    }

    static int ringBytes(int size) {
        long used = usedOf((long) size * DESC_BYTES, size);
        return (int) used + RING_ENTRIES + size * USED_ENTRY_BYTES + EVENT_BYTES;
    }

    private static long usedOf(long avail, int size) {
        long end = avail + RING_ENTRIES + (long) size * AVAIL_ENTRY_BYTES + EVENT_BYTES;
        return (end + USED_ALIGN - 1) / USED_ALIGN * USED_ALIGN;
    }

    @Override
    long descriptorArea() {
        return rings();
    }

    @Override
    long driverArea() {
        return avail;
    }

    @Override
    long deviceArea() {
        return used;
    }

    @Override
    long table() {
        return rings();
    }

    @Override
    int firstPosition() {
        return 0;
    }

    @Override
    void offer(int head) {
        int next = nextAvail();
        ram().u16(avail + RING_ENTRIES + (long) (next % size()) * AVAIL_ENTRY_BYTES, head);
        nextAvail(next + 1);
    }

    @Override
    void show() {
        ram().u16(avail + RING_IDX, nextAvail());
    }

    @Override
    boolean wantsNotifications() {
        return (ram().u16(used) & USED_F_NO_NOTIFY) == 0;
    }

    @Override
    boolean isUsed(int buffers) {
        int entries = (ram().u16(used + RING_IDX) - nextUsed()) & IDX_MASK;
        if (entries > size()) {
            throw new GuestFault("queue " + index() + ": the device used " + entries + " of " + size() + " buffers");
        }
        return entries >= buffers;
    }

    @Override
    int usedId() {
        return ram().u32(usedEntry());
    }

    @Override
    int usedLength() {
        return ram().u32(usedEntry() + USED_LEN);
    }

    @Override
    void passUsed(int descriptors) {
        nextUsed(nextUsed() + 1);
    }

    @Override
    void wantInterrupts(boolean wanted) {
        ram().u16(avail, wanted ? 0 : AVAIL_F_NO_INTERRUPT);
        VarHandle.fullFence();
    }

    private long usedEntry() {
        return used + RING_ENTRIES + (long) (nextUsed() % size()) * USED_ENTRY_BYTES;
    }
}
