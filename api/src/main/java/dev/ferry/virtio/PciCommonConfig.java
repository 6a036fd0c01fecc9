// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.util.Optional;

/**
 * The fields of the PCI common configuration structure, with offset and size; little-endian.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct
 *     virtio_pci_common_cfg</a>
 */
public enum PciCommonConfig {
    /** Which 32 feature bits device_feature shows. */
    DEVICE_FEATURE_SELECT(0, 4),
    /** 32 bits of the features offered; read-only. */
    DEVICE_FEATURE(4, 4),
    /** Which 32 feature bits driver_feature shows. */
    DRIVER_FEATURE_SELECT(8, 4),
    /** 32 bits of the features the driver took. */
    DRIVER_FEATURE(12, 4),
    /** MSI-X vector of configuration changes. */
    CONFIG_MSIX_VECTOR(16, 2),
    /** Number of virtqueues, without admin queues; read-only. */
    NUM_QUEUES(18, 2),
    /** {@link DeviceStatus}; writing 0 resets the device. */
    DEVICE_STATUS(20, 1),
    /** Changes with every noticeable change of the configuration; read-only. */
    CONFIG_GENERATION(21, 1),
    /** Which queue the fields from here on show. */
    QUEUE_SELECT(22, 2),
    /** Size of the queue; 0 = no such queue. */
    QUEUE_SIZE(24, 2),
    /** MSI-X vector of the queue. */
    QUEUE_MSIX_VECTOR(26, 2),
    /** 1 = enabled; cannot be written to 0. */
    QUEUE_ENABLE(28, 2),
    /** Where the queue is notified; read-only. */
    QUEUE_NOTIFY_OFF(30, 2),
    /** IOVA of the descriptor area. */
    QUEUE_DESC(32, 8),
    /** IOVA of the driver area. */
    QUEUE_DRIVER(40, 8),
    /** IOVA of the device area. */
    QUEUE_DEVICE(48, 8),
    /** Data for notifications with VIRTIO_F_NOTIF_CONFIG_DATA; read-only. */
    QUEUE_NOTIF_CONFIG_DATA(56, 2),
    /** 1 = resets the queue, with VIRTIO_F_RING_RESET. */
    QUEUE_RESET(58, 2),
    /** Index of the first admin virtqueue; read-only. */
    ADMIN_QUEUE_INDEX(60, 2),
    /** Number of admin virtqueues; read-only. */
    ADMIN_QUEUE_NUM(62, 2);

    /** Bytes of the structure. */
    public static final int BYTES = 64;

    private final int offset;
    private final int size;

    PciCommonConfig(int offset, int size) {
        this.offset = offset;
        this.size = size;
    }

    /** Offset in bytes. */
    public int offset() {
        return offset;
    }

    /** Size in bytes: 1, 2, 4 or 8. */
    public int size() {
        return size;
    }

    /** The field that begins at an offset. */
    public static Optional<PciCommonConfig> at(long offset) {
        for (PciCommonConfig field : values()) {
            if (field.offset == offset) {
                return Optional.of(field);
            }
        }
        return Optional.empty();
    }
}
