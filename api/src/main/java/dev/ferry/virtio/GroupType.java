// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.util.Optional;

/**
 * Types of device groups.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device groups"</a>
 */
public enum GroupType {
    /** The owner device by itself; member id 0. */
    SELF(0),
    /** A PCI PF and its VFs; member id = VF number, 1 to NumVFs. */
    SR_IOV(1);

    private final int number;

    GroupType(int number) {
        this.number = number;
    }

    /** The type as unsigned 16 bits. */
    public int number() {
        return number;
    }

    /** The type of a number; empty for a reserved one. */
    public static Optional<GroupType> ofNumber(int number) {
        GroupType[] types = values();
        return number < 0 || number >= types.length ? Optional.empty() : Optional.of(types[number]);
    }
}
