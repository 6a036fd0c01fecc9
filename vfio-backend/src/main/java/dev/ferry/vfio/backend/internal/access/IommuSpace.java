// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.vfio.backend.internal.sys.SameFile;

/**
 * The I/O virtual addresses of a device and the memory behind them, which another process has mapped, and lent with the
 * device to have its dirty pages told.
 */
public sealed interface IommuSpace permits ContainerSpace, IommufdSpace {

    /**
     * Whether dirty pages of both are recorded together by the kernel: two devices of one container, or of one page
     * table.
     */
    SameFile recordsWith(IommuSpace other);

    /** Whether no request can be made any more. */
    boolean isClosed();
}
