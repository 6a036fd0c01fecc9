// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import dev.ferry.device.DeviceException;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Resets a member function from its host, beside the admin queue; an ability that an {@link AdminQueue} service may
 * have.
 */
@ConsumerType
public interface FunctionReset {

    /**
     * Performs a function-level reset of one member. The function's PCI configuration (command register, MSI-X) is
     * saved before and restored after, as an operating system's PCI core does; everything of virtio is back to its
     * defaults. A device that is migrated by device parts (virtio 1.4) is in the running mode then; one with a device
     * context keeps its mode, which only the owner's commands change.
     *
     * @param groupMemberId 1 to the number of members
     * @throws DeviceException ENODEV for no such member or when the owner is gone
     */
    void resetFunction(long groupMemberId) throws DeviceException;
}
