// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.sys.SameFile;
import java.lang.foreign.MemorySegment;

/** The I/O virtual addresses of a device, and the memory behind them. */
public sealed interface IommuSpace permits ContainerSpace, IommufdSpace {

    /**
     * Lets the device read and write memory, which stays pinned until it is unmapped or the device is closed.
     *
     * @param iova where the device sees it; both aligned to the host's pages, as the size
     * @throws DeviceException EEXIST when some of the addresses are mapped; others as the kernel gives them
     */
    void map(long iova, MemorySegment memory) throws DeviceException;

    /** Takes a mapping away, whole. */
    void unmap(long iova, long size) throws DeviceException;

    /**
     * Whether dirty pages of both are recorded together by the kernel: two devices of one container, or of one page
     * table.
     */
    SameFile recordsWith(IommuSpace other);

    /** Whether another process has it, too, and may record dirty pages in it. */
    boolean isLent();

    /** Whether no request can be made any more. */
    boolean isClosed();
}
