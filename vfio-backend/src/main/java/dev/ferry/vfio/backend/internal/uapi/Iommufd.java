// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/** Request numbers and structures of {@code linux/iommufd.h}; every structure begins with its size. */
public final class Iommufd {
    private static final int BASE = VfioIoctl.TYPE << 8 | 0x80;

    public static final int IOMMU_IOAS_ALLOC = BASE + 1;
    public static final int IOMMU_IOAS_MAP = BASE + 5;
    public static final int IOMMU_IOAS_UNMAP = BASE + 6;
    public static final int IOMMU_OPTION = BASE + 7;
    public static final int IOMMU_HWPT_ALLOC = BASE + 9;
    public static final int IOMMU_HWPT_SET_DIRTY_TRACKING = BASE + 11;
    public static final int IOMMU_HWPT_GET_DIRTY_BITMAP = BASE + 12;

    /** First field of every structure. */
    public static final int SIZE = 0;

    /** {@code struct iommu_ioas_alloc}. */
    public static final class IoasAlloc {
        public static final int FLAGS = 4;
        public static final int OUT_IOAS_ID = 8;
        public static final int BYTES = 12;

        private IoasAlloc() {}
    }

    /** {@code struct iommu_ioas_map}. */
    public static final class IoasMap {
        public static final int FLAGS = 4;
        public static final int IOAS_ID = 8;
        public static final int RESERVED = 12;
        public static final int USER_VA = 16;
        public static final int LENGTH = 24;
        public static final int IOVA = 32;
        public static final int BYTES = 40;
        public static final int IOMMU_IOAS_MAP_FIXED_IOVA = 1;
        public static final int IOMMU_IOAS_MAP_WRITEABLE = 1 << 1;
        public static final int IOMMU_IOAS_MAP_READABLE = 1 << 2;

        private IoasMap() {}
    }

    /** {@code struct iommu_ioas_unmap}; the kernel writes to {@link #LENGTH} how many bytes it unmapped. */
    public static final class IoasUnmap {
        public static final int IOAS_ID = 4;
        public static final int IOVA = 8;
        public static final int LENGTH = 16;
        public static final int BYTES = 24;

        private IoasUnmap() {}
    }

    /** {@code struct iommu_option}; {@link #OP} and the reserved field have 16 bits. */
    public static final class Option {
        public static final int OPTION_ID = 4;
        public static final int OP = 8;
        public static final int RESERVED = 10;
        public static final int OBJECT_ID = 12;
        public static final int VAL64 = 16;
        public static final int BYTES = 24;
        public static final int IOMMU_OPTION_HUGE_PAGES = 1;
        public static final int IOMMU_OPTION_OP_SET = 0;

        private Option() {}
    }

    /** {@code struct iommu_hwpt_alloc}, as long as the first kernels knew it. */
    public static final class HwptAlloc {
        public static final int FLAGS = 4;
        public static final int DEV_ID = 8;
        public static final int PT_ID = 12;
        public static final int OUT_HWPT_ID = 16;
        public static final int RESERVED = 20;
        public static final int BYTES = 24;
        public static final int IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 1 << 1;

        private HwptAlloc() {}
    }

    /** {@code struct iommu_hwpt_set_dirty_tracking}. */
    public static final class SetDirtyTracking {
        public static final int FLAGS = 4;
        public static final int HWPT_ID = 8;
        public static final int RESERVED = 12;
        public static final int BYTES = 16;
        public static final int IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1;

        private SetDirtyTracking() {}
    }

    /** {@code struct iommu_hwpt_get_dirty_bitmap}. */
    public static final class GetDirtyBitmap {
        public static final int HWPT_ID = 4;
        public static final int FLAGS = 8;
        public static final int RESERVED = 12;
        public static final int IOVA = 16;
        public static final int LENGTH = 24;
        public static final int PAGE_SIZE = 32;
        public static final int DATA = 40;
        public static final int BYTES = 48;
        public static final int IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1;

        private GetDirtyBitmap() {}
    }

    private Iommufd() {}
}
