// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.control;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One emulated adapter: an owner device and its member devices. A service per adapter, with the properties {@link
 * dev.ferry.virtio.AdminQueue#OWNER_ID}, {@code HOST}, {@code MEMBERS} and {@code MEMBER_TYPE}, for as long as the
 * adapter is configured.
 *
 * <p>Thread-safe. After the adapter was deleted its functions behave like a device that was pulled out: reads give all
 * ones, writes do nothing, frames are not taken.
 */
@ProviderType
public interface EmulatedAdapter {

    /** Id of the owner device, for example {@code host1/pf0}. */
    String ownerId();

    /** The host it is in. */
    String host();

    /** Number of member devices: NumVFs while VF Enable is set, else 0. */
    int members();

    /**
     * The PCI function of the owner device, which the driver of the adapter drives: SR-IOV, and an administration
     * virtqueue. As a network device it has one pair of queues and no link.
     */
    PciFunction ownerFunction();

    /**
     * The PCI function of one member. When the member goes, because VFs are disabled or there are fewer of them, it
     * answers like a function that is not there, for good; a member that comes later with the same number is another.
     *
     * @param member 1 to {@link #members}
     * @throws IllegalArgumentException for no such member
     */
    PciFunction function(int member);

    /**
     * The network side of one member.
     *
     * @param member 1 to {@link #members}
     * @throws IllegalArgumentException for no such member
     */
    NetworkPort port(int member);

    /** Resource objects that live in the owner device now: one for each open session, profile or size asked. */
    int resourceObjects();
}
