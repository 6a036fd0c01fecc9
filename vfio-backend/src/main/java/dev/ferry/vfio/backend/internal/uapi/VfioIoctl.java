// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/** Request numbers and flags of {@code linux/vfio.h}; every request is {@code _IO(';', 100 + n)}. */
public final class VfioIoctl {

    /** {@code VFIO_TYPE}, the character {@code ;}. */
    public static final int TYPE = 0x3B;

    private static final int BASE = TYPE << 8 | 100;

    // Container.
    public static final int VFIO_GET_API_VERSION = BASE;
    public static final int VFIO_CHECK_EXTENSION = BASE + 1;
    public static final int VFIO_SET_IOMMU = BASE + 2;
    public static final int VFIO_IOMMU_GET_INFO = BASE + 12;
    public static final int VFIO_IOMMU_MAP_DMA = BASE + 13;
    public static final int VFIO_IOMMU_UNMAP_DMA = BASE + 14;
    /** The same number as {@link #VFIO_DEVICE_FEATURE}; the descriptor tells them apart. */
    public static final int VFIO_IOMMU_DIRTY_PAGES = BASE + 17;

    // Group.
    public static final int VFIO_GROUP_GET_STATUS = BASE + 3;
    public static final int VFIO_GROUP_SET_CONTAINER = BASE + 4;
    public static final int VFIO_GROUP_GET_DEVICE_FD = BASE + 6;

    // Device.
    public static final int VFIO_DEVICE_GET_INFO = BASE + 7;
    public static final int VFIO_DEVICE_GET_REGION_INFO = BASE + 8;
    public static final int VFIO_DEVICE_RESET = BASE + 11;
    public static final int VFIO_DEVICE_FEATURE = BASE + 17;
    public static final int VFIO_DEVICE_BIND_IOMMUFD = BASE + 18;
    public static final int VFIO_DEVICE_ATTACH_IOMMUFD_PT = BASE + 19;

    // Data descriptor of a saving session.
    public static final int VFIO_MIG_GET_PRECOPY_INFO = BASE + 21;

    /** What {@link #VFIO_GET_API_VERSION} answers. */
    public static final int VFIO_API_VERSION = 0;

    /** IOMMU types for {@link #VFIO_CHECK_EXTENSION} and {@link #VFIO_SET_IOMMU}. */
    public static final int VFIO_TYPE1_IOMMU = 1;

    public static final int VFIO_TYPE1v2_IOMMU = 3;

    /** Index of the configuration space among the regions of a PCI device. */
    public static final int VFIO_PCI_CONFIG_REGION_INDEX = 7;

    private VfioIoctl() {}
}
