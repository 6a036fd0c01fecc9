// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import dev.ferry.device.DirtyTracker;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tells which pages a member function writes, by means of its host, beside the admin queue; an ability that an {@link
 * AdminQueue} service may have. Virtio 1.4 has no way of its own: Linux leaves it to the IOMMU (iommufd, {@code
 * IOMMU_HWPT_SET_DIRTY_TRACKING}).
 */
@ConsumerType
public interface FunctionDirtyTracking {

    /**
     * The tracker of the writes of one member, wherever they come from: rings, buffers, whatever it masters.
     *
     * @param groupMemberId 1 to the number of members
     * @return the same answer for as long as the service lives; empty when this host cannot track. The calls of the
     *     tracker fail with ENODEV while there is no such member, and after the owner is gone
     */
    Optional<DirtyTracker> dirtyTracker(long groupMemberId);
}
