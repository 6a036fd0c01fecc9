// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.virtqueue.SplitRing;
import dev.ferry.virtio.VirtqueueConfig;

/** What is legal in the configuration of a split virtqueue, by registers and by device parts, and changes of it. */
final class QueueSetup {

    private QueueSetup() {}

    /** Whether a queue may have a number of descriptors. */
    static boolean isSize(long size, FunctionConfig config) {
        return size >= 1 && size <= config.queueSize() && Long.bitCount(size) == 1;
    }

    /** Whether an MSI-X vector exists. */
    static boolean isVector(long vector, FunctionConfig config) {
        return vector >= 0 && vector < config.vectors();
    }

    /** Whether the areas are aligned as a split virtqueue must be. */
    static boolean isAligned(VirtqueueConfig queue) {
        return queue.desc() % SplitRing.DESC_ALIGNMENT == 0
                && queue.driver() % SplitRing.AVAIL_ALIGNMENT == 0
                && queue.device() % SplitRing.USED_ALIGNMENT == 0;
    }

    static VirtqueueConfig withSize(VirtqueueConfig queue, int size) {
        return new VirtqueueConfig(size, queue.vector(), queue.enabled(), queue.desc(), queue.driver(), queue.device());
    }

    static VirtqueueConfig withVector(VirtqueueConfig queue, int vector) {
        return new VirtqueueConfig(queue.size(), vector, queue.enabled(), queue.desc(), queue.driver(), queue.device());
    }

    static VirtqueueConfig withAreas(VirtqueueConfig queue, long desc, long driver, long device) {
        return new VirtqueueConfig(queue.size(), queue.vector(), queue.enabled(), desc, driver, device);
    }

    static VirtqueueConfig enabled(VirtqueueConfig queue) {
        return new VirtqueueConfig(queue.size(), queue.vector(), true, queue.desc(), queue.driver(), queue.device());
    }
}
