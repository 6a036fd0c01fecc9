// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.util.BitSet;

/**
 * The ids of device parts objects of one owner device: one pool for all members and both directions, because the owner
 * counts them together by the limit that was set.
 *
 * <p>An id that is not given back is never used again. Thread-safe.
 */
final class ObjectIds {

    private final String ownerId;
    private final int limit;
    private final BitSet taken;

    /** A pool of the ids 0 to {@code limit - 1}. */
    ObjectIds(String ownerId, int limit) {
        this.ownerId = ownerId;
        this.limit = limit;
        this.taken = new BitSet(limit);
    }

    int limit() {
        return limit;
    }

    /**
     * Takes the lowest free id.
     *
     * @throws DeviceException ENOSPC when there is none
     */
    synchronized int take() throws DeviceException {
        int id = taken.nextClearBit(0);
        if (id >= limit) {
            throw new DeviceException(
                    Errno.ENOSPC,
                    "all %d device parts objects of %s are in use; try again when another migration has ended"
                            .formatted(limit, ownerId));
        }
        taken.set(id);
        return id;
    }

    /** Returns an id under which the device has no object any more. */
    synchronized void giveBack(int id) {
        taken.clear(id);
    }

    /** Ids taken now. */
    synchronized int taken() {
        return taken.cardinality();
    }
}
