// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The memory of this process that one device may reach by DMA: none, until somebody maps some. A driver's bundle
 * registers one service of this type, with the properties of the device's {@link MigrationDriver}, for each device that
 * it has opened itself; a management server or virtual machine monitor in the same framework maps its guest's memory
 * there. A device that another process has opened and lent has none: that process maps.
 *
 * <p><b>Lifetime.</b> Mapped memory is pinned, and stays with the device until its {@link Mapping} is closed, its user
 * gives the service back (which the framework does for a bundle that stops), or the service is unregistered, whichever
 * is first. Each user has mappings of its own, and closes no other's.
 *
 * <p>Thread-safe. A call returns when the kernel does: pinning takes about a second for some GiB that were never
 * touched.
 */
@ConsumerType
public interface DeviceMemory {

    /** Memory that a device reaches. */
    interface Mapping extends AutoCloseable {

        /** The addresses at which the device sees it. */
        IovaRange range();

        /**
         * Takes the memory from the device, which cannot reach it any more when this returns. What the device wrote
         * there counts as written in the next report of a {@link DirtyTracker}. Does nothing when it has done so
         * before, or the device has left.
         *
         * @throws DeviceException as the device's host gives it: the device may reach the memory still, and this may be
         *     called again
         */
        @Override
        void close() throws DeviceException;
    }

    /**
     * Lets the device read and write memory; only read it when the buffer is read-only.
     *
     * @param iova the address at which the device sees the first byte, of a guest's device the guest-physical one; a
     *     multiple of the host's page size, as the buffer's length and its own address are, too
     * @param memory from position to limit, outside of the heap: a mapped file, or a direct buffer with {@link
     *     ByteBuffer#alignedSlice}. Referenced until the mapping ends; memory of an arena is the caller's to keep open
     *     until then
     * @throws DeviceException EINVAL for a buffer or an address that are not as demanded, or an address that the IOMMU
     *     cannot map; EEXIST when a part of the addresses is mapped already; ENOMEM when so much memory may not be
     *     locked; ENOSPC for too many mappings; EFAULT when the memory is not there; ENODEV when the device has left;
     *     others as the host gives them. Nothing was mapped
     */
    Mapping map(long iova, ByteBuffer memory) throws DeviceException;
}
