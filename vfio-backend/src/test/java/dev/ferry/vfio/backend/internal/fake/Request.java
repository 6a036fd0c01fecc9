// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

/** What the fake kernel can be told to refuse, see {@link FakeKernel#refuse}. */
public enum Request {
    GET_API_VERSION,
    CHECK_EXTENSION,
    SET_IOMMU,
    IOMMU_GET_INFO,
    DIRTY_PAGES_START,
    DIRTY_PAGES_STOP,
    DIRTY_PAGES_GET_BITMAP,
    GROUP_GET_STATUS,
    GROUP_SET_CONTAINER,
    GROUP_GET_DEVICE_FD,
    BIND_IOMMUFD,
    ATTACH_IOMMUFD_PT,
    IOAS_ALLOC,
    SET_DIRTY_TRACKING_ON,
    SET_DIRTY_TRACKING_OFF,
    GET_DIRTY_BITMAP,
    DEVICE_GET_INFO,
    GET_REGION_INFO,
    REGION_READ,
    REGION_WRITE,
    RESET,
    GET_MIGRATION,
    GET_STATE,
    /** The request itself; for an arc of it see {@link FakeDevice#failing}. */
    SET_STATE,
    DATA_SIZE,
    PRECOPY_INFO_V2,
    LOGGING_START,
    LOGGING_STOP,
    LOGGING_REPORT,
    PRECOPY_INFO,
    DATA_READ,
    DATA_WRITE,
    ACCEPT,
    SEND,
    PEER_CREDENTIALS,
    KCMP
}
