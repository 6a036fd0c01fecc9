// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.legacy;

import dev.ferry.virtio.LegacyCommonConfig;
import dev.ferry.virtio.VirtqueueConfig;

/**
 * Where the parts of a legacy virtqueue lie: one piece of memory from a page number on, the available ring behind the
 * descriptors, the used ring on the next page boundary.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Interfaces: A Note
 *     on Virtqueue Layout"</a>
 */
final class LegacyRing {

    private static final int DESC_BYTES = 16;
    private static final int AVAIL_ELEM_BYTES = 2;
    /** flags, idx and used_event. */
    private static final int AVAIL_OTHER_BYTES = 6;

    private LegacyRing() {}

    /** A queue of the same size and vector, in use at a page number; 0 takes it out of use. */
    static VirtqueueConfig at(long pageNumber, VirtqueueConfig queue) {
        if (pageNumber == 0) {
            return new VirtqueueConfig(queue.size(), queue.vector(), false, 0, 0, 0);
        }
        long desc = pageNumber * LegacyCommonConfig.PAGE_BYTES;
        long avail = desc + (long) queue.size() * DESC_BYTES;
        long availEnd = avail + AVAIL_OTHER_BYTES + (long) queue.size() * AVAIL_ELEM_BYTES;
        long used = roundUp(availEnd);
        return new VirtqueueConfig(queue.size(), queue.vector(), true, desc, avail, used);
    }

    /** The page number of a queue; 0 when it is not in use. */
    static long pageNumber(VirtqueueConfig queue) {
        return queue.enabled() ? queue.desc() / LegacyCommonConfig.PAGE_BYTES : 0;
    }

    private static long roundUp(long address) {
        long mask = LegacyCommonConfig.PAGE_BYTES - 1L;
        return address + mask & ~mask;
    }
}
