// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.lang.invoke.VarHandle;

/**
 * The driver's side of one packed virtqueue. Beside the ring, of which the device overwrites parts, the driver has a
 * table of descriptors of its own; the id of a buffer is its first one. A position is a descriptor of the ring with the
 * wrap counter in bit 15.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Packed Virtqueues"</a>
 */
final class PackedQueue extends DriverQueue {

    private static final int RING_ID = 12;
    private static final int RING_FLAGS = 14;
    private static final int F_AVAIL = 1 << 7;
    private static final int F_USED = 1 << 15;

    private static final int EVENT_BYTES = 4;
    private static final int EVENT_FLAGS = 2;
    private static final int EVENT_F_ENABLE = 0;
    private static final int EVENT_F_DISABLE = 1;
    private static final int WRAP_COUNTER = 1 << 15;

    PackedQueue(GuestRam ram, PciFunction function, long record) {
        super(ram, function, record);
    }

    static int ringBytes(int size) {
        return 2 * size * DESC_BYTES + 2 * EVENT_BYTES;
    }

    @Override
    long descriptorArea() {
        return rings();
    }

    @Override
    long table() {
        return rings() + (long) size() * DESC_BYTES;
    }

    @Override
    long driverArea() {
        return table() + (long) size() * DESC_BYTES;
    }

    @Override
    long deviceArea() {
        return driverArea() + EVENT_BYTES;
    }

    @Override
    int firstPosition() {
        return WRAP_COUNTER;
    }

    /** The device may see the chain at once: when the flags of its first descriptor are there. */
    @Override
    void offer(int head) {
        int first = nextAvail();
        int firstFlags = 0;
        int position = first;
        for (int descriptor = head; descriptor >= 0; descriptor = next(descriptor)) {
            long entry = entry(position);
            ram().u64(entry, address(descriptor));
            ram().u32(entry + DESC_LEN, length(descriptor));
            ram().u16(entry + RING_ID, head);
            int flags = flags(descriptor) | (isWrapped(position) ? F_USED : F_AVAIL);
            if (descriptor == head) {
                firstFlags = flags;
            } else {
                ram().u16(entry + RING_FLAGS, flags);
            }
            position = after(position, 1);
        }
        VarHandle.releaseFence();
        ram().u16(entry(first) + RING_FLAGS, firstFlags);
        nextAvail(position);
    }

    @Override
    void show() {
        // Every chain is there since it was offered.
    }

    @Override
    boolean wantsNotifications() {
        return ram().u16(deviceArea() + EVENT_FLAGS) != EVENT_F_DISABLE;
    }

    @Override
    boolean isUsed(int buffers) {
        int position = nextUsed();
        int left = inFlight();
        for (int buffer = 0; buffer < buffers; buffer++) {
            if (left <= 0 || !isUsedAt(position)) {
                return false;
            }
            VarHandle.acquireFence();
            int descriptors = descriptors(ram().u16(entry(position) + RING_ID));
            position = after(position, descriptors);
            left -= descriptors;
        }
        return true;
    }

    private boolean isUsedAt(int position) {
        int flags = ram().u16(entry(position) + RING_FLAGS);
        boolean avail = (flags & F_AVAIL) != 0;
        boolean used = (flags & F_USED) != 0;
        return avail == used && used != isWrapped(position);
    }

    private int descriptors(int head) {
        int count = 0;
        for (int descriptor = head; descriptor >= 0; descriptor = next(descriptor)) {
            if (descriptor >= size() || ++count > size()) {
                throw new GuestFault("queue " + index() + ": the device used a buffer " + head + " that there is not");
            }
        }
        return count;
    }

    @Override
    int usedId() {
        return ram().u16(entry(nextUsed()) + RING_ID);
    }

    @Override
    int usedLength() {
        return ram().u32(entry(nextUsed()) + DESC_LEN);
    }

    @Override
    void passUsed(int descriptors) {
        nextUsed(after(nextUsed(), descriptors));
    }

    @Override
    void wantInterrupts(boolean wanted) {
        ram().u16(driverArea() + EVENT_FLAGS, wanted ? EVENT_F_ENABLE : EVENT_F_DISABLE);
        VarHandle.fullFence();
    }

    private long entry(int position) {
        return rings() + (long) (position & ~WRAP_COUNTER) * DESC_BYTES;
    }

    /** Whether the ring was gone round an odd number of times: the wrap counter, 1 at first, is 0. */
    private static boolean isWrapped(int position) {
        return (position & WRAP_COUNTER) == 0;
    }

    private int after(int position, int descriptors) {
        int index = (position & ~WRAP_COUNTER) + descriptors;
        return index < size() ? position + descriptors : (position & WRAP_COUNTER ^ WRAP_COUNTER) | index - size();
    }
}
