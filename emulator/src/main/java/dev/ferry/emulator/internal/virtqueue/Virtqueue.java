// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.virtqueue;

import dev.ferry.emulator.control.DmaSpace;

/**
 * The device side of one virtqueue, of either format. Every chain that is read is used before the section of work ends,
 * in order, so one position is both the next available and the next used one.
 *
 * <p>Guarded by the function's lock. Between {@link #begin} and {@link #end} it holds views of guest memory; outside it
 * holds none, so that an address which is unmapped is not touched again.
 *
 * <p>Order against the driver, which runs on other threads, is by fences: heap buffers allow no other than plain
 * accesses. Aligned 16-bit accesses are not torn.
 */
public sealed interface Virtqueue permits SplitRing, PackedRing {

    /** A position that must be found in guest memory. */
    int UNKNOWN = -1;

    /** Number of descriptors. */
    int size();

    /**
     * Begins a section of work.
     *
     * @throws DmaSpace.DmaFault when the rings are not mapped; there is nothing to end then
     */
    void begin(DmaSpace memory);

    /** Ends a section of work. */
    void end();

    /**
     * Whether the driver has made a chain available behind those that were read; what it holds is visible after this.
     *
     * @param ahead 0 for the next one, else one more than was read last
     * @throws RingFault when the ring breaks a rule
     */
    boolean isAvailable(int ahead);

    /**
     * Reads a chain that is available.
     *
     * @param ahead 0 for the next one, else one more than was read last
     * @throws RingFault when the chain breaks a rule
     * @throws DmaSpace.DmaFault when its indirect table is not mapped
     */
    void read(int ahead, DescriptorChain chain);

    /**
     * Fills in a used element; the driver sees it with {@link #publish}.
     *
     * @param ahead as it was read
     * @param written bytes that the device wrote
     */
    void use(int ahead, DescriptorChain chain, int written);

    /**
     * Shows the driver that chains were used, all at once, and moves on by as many.
     *
     * @param chains all that were read since the last time
     */
    void publish(int chains);

    /**
     * How many chains are available; asks for a notification of the first chain behind these: the driver notifies of a
     * chain that is not counted. So whoever works on these chains alone leaves none behind.
     *
     * @throws RingFault when the ring breaks a rule
     */
    int availableUntilNotified();

    /** Whether the driver wants an interrupt for what was published since this was last asked. */
    boolean interruptDue();

    /**
     * last_avail_idx as vhost gives it: of a split virtqueue the index, of a packed one the descriptor with the wrap
     * counter in bit 15.
     *
     * @return {@link #UNKNOWN} of a split virtqueue that goes on where guest memory says, before the first
     *     {@link #begin}
     */
    int lastAvail();
}
