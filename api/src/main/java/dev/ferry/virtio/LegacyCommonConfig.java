// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.util.Optional;

/**
 * The fields of the common configuration of the legacy interface, with offset and size; little-endian when they travel
 * in admin commands. The device configuration follows: behind the last field while MSI-X is enabled, else in the place
 * of the two vectors.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Interfaces: A Note
 *     on PCI Device Layout"</a>
 */
public enum LegacyCommonConfig {
    /** The first 32 feature bits offered; read-only. */
    DEVICE_FEATURES(0, 4),
    /** The first 32 feature bits that the driver took. */
    DRIVER_FEATURES(4, 4),
    /** Address of the selected queue's ring in units of {@link #PAGE_BYTES}; 0 = not in use. */
    QUEUE_ADDRESS(8, 4),
    /** Descriptors of the selected queue; 0 = no such queue; read-only. */
    QUEUE_SIZE(12, 2),
    /** Which queue the other queue fields show. */
    QUEUE_SELECT(14, 2),
    /** Index of a queue with available buffers. */
    QUEUE_NOTIFY(16, 2),
    /** {@link DeviceStatus} without FEATURES_OK; writing 0 resets the device. */
    DEVICE_STATUS(18, 1),
    /** ISR status; reading clears it; read-only. */
    ISR_STATUS(19, 1),
    /** MSI-X vector of configuration changes; there only while MSI-X is enabled. */
    CONFIG_MSIX_VECTOR(20, 2),
    /** MSI-X vector of the selected queue; there only while MSI-X is enabled. */
    QUEUE_MSIX_VECTOR(22, 2);

    /** Bytes without the vectors. */
    public static final int BYTES = 20;
    /** Bytes with the vectors. */
    public static final int BYTES_WITH_MSIX = 24;
    /** Unit of a queue address, and alignment of a legacy used ring. */
    public static final int PAGE_BYTES = 4096;

    /** In the data of the commands that write: the first byte to write, u8; seven reserved bytes follow. */
    public static final int ACCESS_OFFSET = 0;
    /** Bytes of the data of the commands that read. */
    public static final int READ_BYTES = 1;
    /** In the data of the commands that write: the bytes to write, to the end of the data. */
    public static final int WRITE_DATA_OFFSET = 8;

    private final int offset;
    private final int size;

    LegacyCommonConfig(int offset, int size) {
        this.offset = offset;
        this.size = size;
    }

    /** Offset in bytes. */
    public int offset() {
        return offset;
    }

    /** Size in bytes: 1, 2 or 4. */
    public int size() {
        return size;
    }

    /** Bytes of the structure: where the device configuration begins. */
    public static int bytes(boolean msixEnabled) {
        return msixEnabled ? BYTES_WITH_MSIX : BYTES;
    }

    /** The field that begins at an offset, vectors included. */
    public static Optional<LegacyCommonConfig> at(long offset) {
        for (LegacyCommonConfig field : values()) {
            if (field.offset == offset) {
                return Optional.of(field);
            }
        }
        return Optional.empty();
    }
}
