// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.vfio.backend.internal.sys.SameFile;
import java.util.Optional;

/**
 * The I/O virtual addresses of a device and the memory behind them. Of a device that another process has lent that one
 * maps memory, and the space was lent to have dirty pages told.
 */
public sealed interface IommuSpace permits ContainerSpace, IommufdSpace {

    /**
     * Whether dirty pages of both are recorded together by the kernel: two devices of one container, or of one page
     * table.
     */
    SameFile recordsWith(IommuSpace other);

    /** What is mapped here, by this bundle alone; empty for a space that was lent. */
    Optional<OwnMemory> own();

    /** Whether no request can be made any more. */
    boolean isClosed();
}
