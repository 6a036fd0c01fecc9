// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import dev.ferry.device.DeviceException;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Reaches the PCI function of a member from its host, beside the admin queue; an ability that an {@link AdminQueue}
 * service object may have.
 *
 * <p>The accesses are those of a processor: little-endian numbers of natural size and alignment, unsigned. What no
 * register answers reads as all ones and writes nothing. Any thread may call; calls are as quick as register accesses.
 */
@ConsumerType
public interface FunctionAccess {

    /**
     * Reads configuration space.
     *
     * @param groupMemberId 1 to the number of members
     * @param offset 0 to 4095
     * @param size 1, 2 or 4 bytes
     * @throws DeviceException ENODEV for no such member or when the owner is gone
     */
    long readConfig(long groupMemberId, int offset, int size) throws DeviceException;

    /**
     * Writes configuration space; read-only bits keep their value.
     *
     * @param groupMemberId 1 to the number of members
     * @param offset 0 to 4095
     * @param size 1, 2 or 4 bytes
     * @throws DeviceException ENODEV for no such member or when the owner is gone
     */
    void writeConfig(long groupMemberId, int offset, int size, long value) throws DeviceException;

    /**
     * Size of a BAR.
     *
     * @param groupMemberId 1 to the number of members
     * @param bar 0 to 5
     * @return in bytes, a power of two; 0 for a BAR that is not there
     * @throws DeviceException ENODEV for no such member or when the owner is gone
     */
    long barSize(long groupMemberId, int bar) throws DeviceException;

    /**
     * Writes a register. A BAR answers only while the function's command register says so.
     *
     * @param groupMemberId 1 to the number of members
     * @param bar 0 to 5
     * @param offset in the BAR
     * @param size 1, 2, 4 or 8 bytes
     * @throws DeviceException ENODEV for no such member or when the owner is gone
     */
    void writeBar(long groupMemberId, int bar, long offset, int size, long value) throws DeviceException;
}
