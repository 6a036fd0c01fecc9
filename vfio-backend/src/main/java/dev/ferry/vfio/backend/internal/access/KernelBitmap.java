// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for a bitmap in which the kernel marks pages: {@code drivers/iommu/iommufd/iova_bitmap.c}, for an iommufd and
 * a device's own log.
 *
 * <p>The kernel marks a page of the IOMMU as a whole, also where it reaches behind the range that was asked for, and
 * stops only behind the last page of memory that it has pinned. It pins as many whole pages as the rest of the bitmap
 * has bytes for, and one more when that rest does not begin a page. So the bitmap begins a page, and a page of no use
 * lies behind its last one.
 */
public final class KernelBitmap {

    /**
     * Allocates one, of zeroes.
     *
     * @param pages of how many pages the kernel is to tell
     * @param hostPageSize in bytes
     * @return the words of 64 bits that are wanted; bits behind the last page may be set in the last one
     */
    public static MemorySegment allocate(Arena arena, long pages, long hostPageSize) {
        long bytes = (pages + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
        long pinned = (bytes + hostPageSize - 1) / hostPageSize + 1;
        return arena.allocate(pinned * hostPageSize, hostPageSize).asSlice(0, bytes);
    }

    private KernelBitmap() {}
}
