// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/**
 * How a guest sets up its device. Immutable; begin with {@link #defaults}.
 *
 * @param queuePairs receive and transmit queues to use, 1 to 255; the device must have as many
 * @param queueSize most entries of a queue, a power of two from 2 to 32,768; less where the device has less
 * @param promiscuous whether to take frames for any address
 * @param packed whether to use packed virtqueues, which the device must have then; else split ones
 */
public record GuestOptions(int queuePairs, int queueSize, boolean promiscuous, boolean packed) {

    private static final int DEFAULT_QUEUE_SIZE = 256;
    private static final int MAX_QUEUE_SIZE = 32_768;

    /** Refuses what no device can be asked for. */
    public GuestOptions {
        if (queuePairs < 1 || queuePairs > DriverArea.MAX_PAIRS) {
            throw new IllegalArgumentException("a guest uses 1 to " + DriverArea.MAX_PAIRS + " queue pairs, not "
                    + queuePairs);
        }
        if (queueSize < 2 || queueSize > MAX_QUEUE_SIZE || Integer.bitCount(queueSize) != 1) {
            throw new IllegalArgumentException("not a size of a virtqueue that this guest uses: " + queueSize);
        }
    }

    /** One queue pair, 256 entries, frames for any address, split virtqueues. */
    public static GuestOptions defaults() {
        return new GuestOptions(1, DEFAULT_QUEUE_SIZE, true, false);
    }

    /** The same with another number of queue pairs. */
    public GuestOptions withQueuePairs(int pairs) {
        return new GuestOptions(pairs, queueSize, promiscuous, packed);
    }

    /** The same with queues of at most this size. */
    public GuestOptions withQueueSize(int entries) {
        return new GuestOptions(queuePairs, entries, promiscuous, packed);
    }

    /** The same with or without frames for other addresses. */
    public GuestOptions withPromiscuous(boolean use) {
        return new GuestOptions(queuePairs, queueSize, use, packed);
    }

    /** The same with packed virtqueues, or with split ones. */
    public GuestOptions withPacked(boolean use) {
        return new GuestOptions(queuePairs, queueSize, promiscuous, use);
    }
}
