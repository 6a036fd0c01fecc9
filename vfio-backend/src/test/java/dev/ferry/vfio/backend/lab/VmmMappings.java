// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Lets a device reach memory, as a VMM does; our bundle does not, and so has none of these numbers and layouts. Each
 * request gives what the kernel gives.
 */
sealed interface VmmMappings {

    /** Readable and writable for the device. */
    long map(long iova, MemorySegment memory);

    /** A whole mapping. */
    long unmap(long iova, long size);

    /** {@code VFIO_IOMMU_MAP_DMA} and {@code VFIO_IOMMU_UNMAP_DMA} of {@code linux/vfio.h}. */
    record OfContainer(SystemCalls calls, Descriptor container) implements VmmMappings {
        private static final int MAP_DMA = 0x3B71;
        private static final int MAP_BYTES = 32;
        private static final int READ_AND_WRITE = 3;
        private static final int UNMAP_DMA = 0x3B72;
        private static final int UNMAP_BYTES = 24;

        @Override
        public long map(long iova, MemorySegment memory) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment argument = arena.allocate(MAP_BYTES, Long.BYTES);
                argument.set(JAVA_INT, 0, MAP_BYTES);
                argument.set(JAVA_INT, 4, READ_AND_WRITE);
                argument.set(ADDRESS, 8, memory);
                argument.set(JAVA_LONG, 16, iova);
                argument.set(JAVA_LONG, 24, memory.byteSize());
                return container.use(fd -> calls.ioctl(fd, MAP_DMA, argument));
            }
        }

        @Override
        public long unmap(long iova, long size) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment argument = arena.allocate(UNMAP_BYTES, Long.BYTES);
                argument.set(JAVA_INT, 0, UNMAP_BYTES);
                argument.set(JAVA_LONG, 8, iova);
                argument.set(JAVA_LONG, 16, size);
                return container.use(fd -> calls.ioctl(fd, UNMAP_DMA, argument));
            }
        }
    }

    /** {@code IOMMU_IOAS_MAP} and {@code IOMMU_IOAS_UNMAP} of {@code linux/iommufd.h}. */
    record OfIommufd(SystemCalls calls, Descriptor iommufd, int ioas) implements VmmMappings {
        private static final int IOAS_MAP = 0x3B85;
        private static final int MAP_BYTES = 40;
        private static final int AT_IOVA_FOR_READ_AND_WRITE = 7;
        private static final int IOAS_UNMAP = 0x3B86;
        private static final int UNMAP_BYTES = 24;

        @Override
        public long map(long iova, MemorySegment memory) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment argument = arena.allocate(MAP_BYTES, Long.BYTES);
                argument.set(JAVA_INT, 0, MAP_BYTES);
                argument.set(JAVA_INT, 4, AT_IOVA_FOR_READ_AND_WRITE);
                argument.set(JAVA_INT, 8, ioas);
                argument.set(ADDRESS, 16, memory);
                argument.set(JAVA_LONG, 24, memory.byteSize());
                argument.set(JAVA_LONG, 32, iova);
                return iommufd.use(fd -> calls.ioctl(fd, IOAS_MAP, argument));
            }
        }

        @Override
        public long unmap(long iova, long size) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment argument = arena.allocate(UNMAP_BYTES, Long.BYTES);
                argument.set(JAVA_INT, 0, UNMAP_BYTES);
                argument.set(JAVA_INT, 4, ioas);
                argument.set(JAVA_LONG, 8, iova);
                argument.set(JAVA_LONG, 16, size);
                return iommufd.use(fd -> calls.ioctl(fd, IOAS_UNMAP, argument));
            }
        }
    }
}
