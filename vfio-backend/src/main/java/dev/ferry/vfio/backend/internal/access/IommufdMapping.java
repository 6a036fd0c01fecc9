// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasMap;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasUnmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Maps memory in an address space of an iommufd: {@code IOMMU_IOAS_MAP} and {@code IOMMU_IOAS_UNMAP} of {@code
 * linux/iommufd.h}.
 *
 * @param ioas the id of the address space
 */
record IommufdMapping(IommuFile iommufd, int ioas) implements OwnMemory.Requests {

    @Override
    public void map(long iova, MemorySegment memory) throws DeviceException {
        int access = IoasMap.IOMMU_IOAS_MAP_READABLE
                | (memory.isReadOnly() ? 0 : IoasMap.IOMMU_IOAS_MAP_WRITEABLE);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(IoasMap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, IoasMap.BYTES);
            argument.set(JAVA_INT, IoasMap.FLAGS, IoasMap.IOMMU_IOAS_MAP_FIXED_IOVA | access);
            argument.set(JAVA_INT, IoasMap.IOAS_ID, ioas);
            argument.set(ADDRESS, IoasMap.USER_VA, memory);
            argument.set(JAVA_LONG, IoasMap.LENGTH, memory.byteSize());
            argument.set(JAVA_LONG, IoasMap.IOVA, iova);
            MappingAdvice.require(iommufd, iommufd.ioctl(Iommufd.IOMMU_IOAS_MAP, argument), "IOMMU_IOAS_MAP");
        }
    }

    @Override
    public void unmap(IovaRange range) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(IoasUnmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, IoasUnmap.BYTES);
            argument.set(JAVA_INT, IoasUnmap.IOAS_ID, ioas);
            argument.set(JAVA_LONG, IoasUnmap.IOVA, range.iova());
            argument.set(JAVA_LONG, IoasUnmap.LENGTH, range.length());
            iommufd.request(Iommufd.IOMMU_IOAS_UNMAP, argument, "IOMMU_IOAS_UNMAP");
        }
    }
}
