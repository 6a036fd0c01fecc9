// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/**
 * How a guest sets up its device. Immutable; begin with {@link #defaults}.
 *
 * @param queuePairs receive and transmit queues to use, 1 to 31; the device must have as many
 * @param queueSize most entries of a queue, a power of two from 2 to 32,768; less where the device has less
 * @param promiscuous whether to take frames for any address
 */
public record GuestOptions(int queuePairs, int queueSize, boolean promiscuous) {

    private static final int DEFAULT_QUEUE_SIZE = 256;
    private static final int MAX_QUEUE_SIZE = 32_768;

    /** Refuses what no device can be asked for. */
    public GuestOptions {
        if (queuePairs < 1 || queuePairs > DriverArea.MAX_PAIRS) {
            throw new IllegalArgumentException("a guest uses 1 to " + DriverArea.MAX_PAIRS + " queue pairs, not "
                    + queuePairs);
        }
        if (queueSize < 2 || queueSize > MAX_QUEUE_SIZE || Integer.bitCount(queueSize) != 1) {
            throw new IllegalArgumentException("not a size of a split virtqueue: " + queueSize);
        }
    }

    /** One queue pair, 256 entries, frames for any address. */
    public static GuestOptions defaults() {
        return new GuestOptions(1, DEFAULT_QUEUE_SIZE, true);
    }

    /** The same with another number of queue pairs. */
    public GuestOptions withQueuePairs(int pairs) {
        return new GuestOptions(pairs, queueSize, promiscuous);
    }

    /** The same with queues of at most this size. */
    public GuestOptions withQueueSize(int entries) {
        return new GuestOptions(queuePairs, entries, promiscuous);
    }

    /** The same with or without frames for other addresses. */
    public GuestOptions withPromiscuous(boolean use) {
        return new GuestOptions(queuePairs, queueSize, use);
    }
}
