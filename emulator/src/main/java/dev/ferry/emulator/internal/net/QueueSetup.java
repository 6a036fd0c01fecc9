// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.virtqueue.PackedRing;
import dev.ferry.emulator.internal.virtqueue.SplitRing;
import dev.ferry.virtio.VirtqueueConfig;

/** What is legal in the configuration of a virtqueue, by registers and by device parts, and changes of it. */
final class QueueSetup {

    private QueueSetup() {}

    /** Whether a queue may have a number of descriptors: a packed one any, a split one a power of two. */
    static boolean isSize(long size, boolean packed, FunctionConfig config) {
        return size >= 1 && size <= config.queueSize() && (packed || Long.bitCount(size) == 1);
    }

    /** Whether an MSI-X vector exists. */
    static boolean isVector(long vector, FunctionConfig config) {
        return vector >= 0 && vector < config.vectors();
    }

    /** Whether it is an MSI-X vector that exists, or says that there is none. */
    static boolean isVectorOrNone(int vector, FunctionConfig config) {
        return vector == VirtqueueConfig.NO_VECTOR || isVector(vector, config);
    }

    /** Whether the areas are aligned as they must be. */
    static boolean isAligned(VirtqueueConfig queue, boolean packed) {
        if (packed) {
            return queue.desc() % PackedRing.DESC_ALIGNMENT == 0
                    && queue.driver() % PackedRing.EVENT_ALIGNMENT == 0
                    && queue.device() % PackedRing.EVENT_ALIGNMENT == 0;
        }
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
