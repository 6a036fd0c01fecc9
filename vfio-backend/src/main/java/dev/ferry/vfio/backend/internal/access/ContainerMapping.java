// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DmaMap;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DmaUnmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Maps memory in a container: {@code VFIO_IOMMU_MAP_DMA} and {@code VFIO_IOMMU_UNMAP_DMA} of {@code linux/vfio.h}. */
record ContainerMapping(IommuFile container) implements OwnMemory.Requests {

    @Override
    public void map(long iova, MemorySegment memory) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DmaMap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DmaMap.ARGSZ, DmaMap.BYTES);
            argument.set(JAVA_INT, DmaMap.FLAGS,
                    DmaMap.VFIO_DMA_MAP_FLAG_READ | (memory.isReadOnly() ? 0 : DmaMap.VFIO_DMA_MAP_FLAG_WRITE));
            argument.set(ADDRESS, DmaMap.VADDR, memory);
            argument.set(JAVA_LONG, DmaMap.IOVA, iova);
            argument.set(JAVA_LONG, DmaMap.SIZE, memory.byteSize());
            MappingAdvice.require(container, container.ioctl(VfioIoctl.VFIO_IOMMU_MAP_DMA, argument),
                    "VFIO_IOMMU_MAP_DMA");
        }
    }

    /** The kernel succeeds, and says 0 bytes, where nothing is mapped. */
    @Override
    public void unmap(IovaRange range) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DmaUnmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DmaUnmap.ARGSZ, DmaUnmap.BYTES);
            argument.set(JAVA_LONG, DmaUnmap.IOVA, range.iova());
            argument.set(JAVA_LONG, DmaUnmap.SIZE, range.length());
            container.request(VfioIoctl.VFIO_IOMMU_UNMAP_DMA, argument, "VFIO_IOMMU_UNMAP_DMA");
        }
    }
}
