// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Lets the devices of a container reach memory, as a VMM does; our bundle does not, and so has none of these numbers
 * and layouts: {@code VFIO_IOMMU_MAP_DMA} and {@code VFIO_IOMMU_UNMAP_DMA} of {@code linux/vfio.h}.
 */
record ContainerMemory(SystemCalls calls, Descriptor container) {
    private static final int MAP_DMA = 0x3B71;
    private static final int MAP_BYTES = 32;
    private static final int READ_AND_WRITE = 3;
    private static final int UNMAP_DMA = 0x3B72;
    private static final int UNMAP_BYTES = 24;

    /** Readable and writable for the devices. */
    void map(long iova, MemorySegment memory) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(MAP_BYTES, Long.BYTES);
            argument.set(JAVA_INT, 0, MAP_BYTES);
            argument.set(JAVA_INT, 4, READ_AND_WRITE);
            argument.set(ADDRESS, 8, memory);
            argument.set(JAVA_LONG, 16, iova);
            argument.set(JAVA_LONG, 24, memory.byteSize());
            ask("a mapping", MAP_DMA, argument);
        }
    }

    /** A whole mapping. */
    void unmap(long iova, long size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(UNMAP_BYTES, Long.BYTES);
            argument.set(JAVA_INT, 0, UNMAP_BYTES);
            argument.set(JAVA_LONG, 8, iova);
            argument.set(JAVA_LONG, 16, size);
            ask("the end of a mapping", UNMAP_DMA, argument);
        }
    }

    private void ask(String what, int request, MemorySegment argument) {
        long result = container.use(fd -> calls.ioctl(fd, request, argument));
        demand(result == 0, "%s gives %d", what, result);
    }
}
