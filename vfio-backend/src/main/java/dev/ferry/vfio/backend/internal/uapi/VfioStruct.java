// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/** The other structures of {@code linux/vfio.h}: offsets and sizes in bytes, host byte order. */
public final class VfioStruct {

    /** {@code struct vfio_group_status}. */
    public static final class GroupStatus {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int BYTES = 8;
        public static final int VFIO_GROUP_FLAGS_VIABLE = 1;

        private GroupStatus() {}
    }

    /** {@code struct vfio_device_info}, as long as the first kernels knew it. */
    public static final class DeviceInfo {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int BYTES = 16;
        public static final int VFIO_DEVICE_FLAGS_RESET = 1;
        public static final int VFIO_DEVICE_FLAGS_PCI = 1 << 1;

        private DeviceInfo() {}
    }

    /** {@code struct vfio_region_info}. */
    public static final class RegionInfo {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int INDEX = 8;
        public static final int SIZE = 16;
        public static final int OFFSET = 24;
        public static final int BYTES = 32;

        private RegionInfo() {}
    }

    /** {@code struct vfio_iommu_type1_info} with the padding of newer kernels; capabilities follow. */
    public static final class IommuInfo {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int CAP_OFFSET = 16;
        public static final int BYTES = 24;
        public static final int VFIO_IOMMU_INFO_CAPS = 1 << 1;

        private IommuInfo() {}
    }

    /** {@code struct vfio_info_cap_header}; {@link #NEXT} counts from the start of the info structure, 0 ends. */
    public static final class CapHeader {
        public static final int ID = 0;
        public static final int VERSION = 2;
        public static final int NEXT = 4;
        public static final int BYTES = 8;

        private CapHeader() {}
    }

    /** {@code struct vfio_iommu_type1_info_cap_migration}. */
    public static final class CapMigration {
        public static final int VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION = 2;
        public static final int VERSION = 1;
        public static final int FLAGS = 8;
        public static final int PGSIZE_BITMAP = 16;
        public static final int MAX_DIRTY_BITMAP_SIZE = 24;
        public static final int BYTES = 32;

        private CapMigration() {}
    }

    /** {@code struct vfio_iommu_type1_dma_map}. */
    public static final class DmaMap {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int VADDR = 8;
        public static final int IOVA = 16;
        public static final int SIZE = 24;
        public static final int BYTES = 32;
        public static final int VFIO_DMA_MAP_FLAG_READ = 1;
        public static final int VFIO_DMA_MAP_FLAG_WRITE = 1 << 1;

        private DmaMap() {}
    }

    /** {@code struct vfio_iommu_type1_dma_unmap}; the kernel writes to {@link #SIZE} how many bytes it unmapped. */
    public static final class DmaUnmap {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int IOVA = 8;
        public static final int SIZE = 16;
        public static final int BYTES = 24;

        private DmaUnmap() {}
    }

    /** {@code struct vfio_iommu_type1_dirty_bitmap}, followed by {@code ..._dirty_bitmap_get} for a bitmap. */
    public static final class DirtyBitmap {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int BYTES = 8;
        public static final int GET_IOVA = 8;
        public static final int GET_SIZE = 16;
        public static final int GET_PGSIZE = 24;
        public static final int GET_BITMAP_SIZE = 32;
        public static final int GET_DATA = 40;
        public static final int GET_BYTES = 48;
        public static final int VFIO_IOMMU_DIRTY_PAGES_FLAG_START = 1;
        public static final int VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP = 1 << 1;
        public static final int VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP = 1 << 2;

        private DirtyBitmap() {}
    }

    /** {@code struct vfio_device_bind_iommufd}, without the token of newer kernels. */
    public static final class BindIommufd {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int IOMMUFD = 8;
        public static final int OUT_DEVID = 12;
        public static final int BYTES = 16;

        private BindIommufd() {}
    }

    /**
     * {@code struct vfio_device_attach_iommufd_pt}, without the PASID of newer kernels. The kernel writes to {@link
     * #PT_ID} the page table that the device has then; where it has none, the id stays.
     */
    public static final class AttachPt {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int PT_ID = 8;
        public static final int BYTES = 12;

        private AttachPt() {}
    }

    private VfioStruct() {}
}
