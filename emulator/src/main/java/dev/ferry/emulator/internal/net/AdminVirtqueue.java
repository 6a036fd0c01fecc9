// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.virtqueue.DescriptorChain;
import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import java.util.function.BooleanSupplier;

/**
 * Performs the commands of the admin virtqueue: the device-readable part from opcode to data, then the device-writable
 * one from status to result, each in any number of buffers. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Administration
 *     Virtqueues"</a>
 */
final class AdminVirtqueue {

    /** Bytes of a part that are looked at: more than any command has, and few enough to go through. */
    private static final int MAX_PART_BYTES = 16 << 20;

    private final OwnerSide owner;
    private final DescriptorChain chain = new DescriptorChain();

    AdminVirtqueue(OwnerSide owner) {
        this.owner = owner;
    }

    /**
     * Performs the next command of a ring and uses its buffer.
     *
     * @param ring within a section of work, with a chain available
     * @param inUse whether the ring still is; a command may lead to a reset, after which no memory is touched
     */
    void execute(Virtqueue ring, DmaSpace memory, BooleanSupplier inUse) {
        ring.read(0, chain);
        int used = owner.execute(chain.readable(memory, MAX_PART_BYTES), chain.writable(memory, MAX_PART_BYTES));
        if (inUse.getAsBoolean()) {
            ring.use(0, chain, used);
            ring.publish(1);
        }
    }
}
