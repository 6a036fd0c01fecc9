// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/** {@code VFIO_DEVICE_FEATURE} of {@code linux/vfio.h}: indexes, flags, and the structures behind the header. */
public final class DeviceFeature {

    // Indexes.
    public static final int MIGRATION = 1;
    public static final int MIG_DEVICE_STATE = 2;
    public static final int DMA_LOGGING_START = 6;
    public static final int DMA_LOGGING_STOP = 7;
    public static final int DMA_LOGGING_REPORT = 8;
    public static final int MIG_DATA_SIZE = 9;
    /** Since Linux 7.1: makes {@code vfio_precopy_info.flags} an output. */
    public static final int MIG_PRECOPY_INFOv2 = 12;

    // Bits beside the index.
    public static final int GET = 1 << 16;
    public static final int SET = 1 << 17;
    public static final int PROBE = 1 << 18;

    /** {@code struct vfio_device_feature}. */
    public static final class Header {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int DATA = 8;
        public static final int BYTES = 8;

        private Header() {}
    }

    /** {@code struct vfio_device_feature_migration}. */
    public static final class Migration {
        public static final int FLAGS = 0;
        public static final int BYTES = 8;

        private Migration() {}
    }

    /** {@code struct vfio_device_feature_mig_state}. */
    public static final class MigState {
        public static final int DEVICE_STATE = 0;
        public static final int DATA_FD = 4;
        public static final int BYTES = 8;
        /** {@link #DATA_FD} when there is none. */
        public static final int NO_FD = -1;

        private MigState() {}
    }

    /** {@code struct vfio_device_feature_mig_data_size}. */
    public static final class MigDataSize {
        public static final int STOP_COPY_LENGTH = 0;
        public static final int BYTES = 8;

        private MigDataSize() {}
    }

    /** {@code struct vfio_device_feature_dma_logging_control}. */
    public static final class LoggingControl {
        public static final int PAGE_SIZE = 0;
        public static final int NUM_RANGES = 8;
        public static final int RESERVED = 12;
        public static final int RANGES = 16;
        public static final int BYTES = 24;

        private LoggingControl() {}
    }

    /** {@code struct vfio_device_feature_dma_logging_range}. */
    public static final class LoggingRange {
        public static final int IOVA = 0;
        public static final int LENGTH = 8;
        public static final int BYTES = 16;

        private LoggingRange() {}
    }

    /** {@code struct vfio_device_feature_dma_logging_report}. */
    public static final class LoggingReport {
        public static final int IOVA = 0;
        public static final int LENGTH = 8;
        public static final int PAGE_SIZE = 16;
        public static final int BITMAP = 24;
        public static final int BYTES = 32;

        private LoggingReport() {}
    }

    /** {@code struct vfio_precopy_info}, the argument of {@code VFIO_MIG_GET_PRECOPY_INFO}; not behind the header. */
    public static final class Precopy {
        public static final int ARGSZ = 0;
        public static final int FLAGS = 4;
        public static final int INITIAL_BYTES = 8;
        public static final int DIRTY_BYTES = 16;
        public static final int BYTES = 24;
        /** Means something only after {@link #MIG_PRECOPY_INFOv2} was set. */
        public static final int VFIO_PRECOPY_INFO_REINIT = 1;

        private Precopy() {}
    }

    private DeviceFeature() {}
}
