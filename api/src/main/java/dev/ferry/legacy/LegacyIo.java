// SPDX-License-Identifier: Apache-2.0
package dev.ferry.legacy;

import dev.ferry.device.DeviceException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One member device as a transitional virtio PCI device, for guests whose driver knows only the legacy interface: BAR 0
 * is an I/O BAR of {@value #BAR0_BYTES} bytes, and configuration space says so.
 *
 * <p>A service per member that has a legacy interface, with the properties {@link
 * dev.ferry.device.MigrationDriver#DEVICE_ID}, {@code HOST}, {@code OWNER} and {@code MEMBER}, for as long as it can be
 * used. A hypervisor gives its guest these accesses instead of the function's; the other BARs are the function's.
 *
 * <p>Values are little-endian numbers, unsigned. Thread-safe: one access at a time, each ends within the bound that is
 * configured for admin commands. What is emulated here and not in the device is the I/O bit of the command register and
 * the value of BAR 0; whoever moves a guest carries both with the rest of configuration space.
 *
 * <p>Any access fails with ENODEV once the member, its owner or the bundle has left; with ETIMEDOUT when the owner did
 * not answer; with the errno of the status when it refused.
 */
@ProviderType
public interface LegacyIo {

    /** Size of BAR 0: 24 bytes of common configuration with vectors, 8 of the network device's up to status. */
    int BAR0_BYTES = 32;

    /**
     * Reads configuration space as the guest must see it.
     *
     * @param offset 0 to 4095, a multiple of the size
     * @param size 1, 2 or 4 bytes
     * @throws DeviceException EINVAL for another offset or size
     */
    long readConfig(int offset, int size) throws DeviceException;

    /**
     * Writes configuration space; the function sees the write, too.
     *
     * @param offset 0 to 4095, a multiple of the size
     * @param size 1, 2 or 4 bytes
     * @throws DeviceException EINVAL for another offset or size
     */
    void writeConfig(int offset, int size, long value) throws DeviceException;

    /**
     * Reads a register of BAR 0.
     *
     * @param offset 0 to 31
     * @param size 1, 2 or 4 bytes, of one field
     * @throws DeviceException EIO while the I/O bit of the command register is off; EINVAL beyond {@value #BAR0_BYTES}
     *     bytes, for another size, or for what the device takes for no access of one field
     */
    long readBar0(int offset, int size) throws DeviceException;

    /**
     * Writes a register of BAR 0. A write of Queue Notify (offset 16, 2 bytes) goes straight to the device's
     * notification address.
     *
     * @param offset 0 to 31
     * @param size 1, 2 or 4 bytes, of one field
     * @throws DeviceException EIO while the I/O bit of the command register is off, or for a notification while the
     *     memory BARs are off; EINVAL as {@link #readBar0}
     */
    void writeBar0(int offset, int size, long value) throws DeviceException;
}
