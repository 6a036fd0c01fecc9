// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.util.Optional;

/**
 * The types of device parts, in the order in which they must lie in one answer or command.
 *
 * <p>Types 0x0000 to 0x01FF are common to all devices, 0x0200 to 0x05FF belong to the device type. The rest is
 * reserved; of it this project uses 0xFF00 to 0xFFFF for {@linkplain #PACKED_VQ_POSITION what it adds}.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device parts"</a>
 */
public enum DevicePartType {
    /** VIRTIO_DEV_PART_DEV_FEATURES: offered feature bits, u64 words; only verified. */
    DEV_FEATURES(0x100),
    /** VIRTIO_DEV_PART_DRV_FEATURES: the driver's feature bits, u64 words. */
    DRV_FEATURES(0x101),
    /** VIRTIO_DEV_PART_PCI_COMMON_CFG: one field of the common configuration; selector = its offset. */
    PCI_COMMON_CFG(0x102),
    /** VIRTIO_DEV_PART_DEVICE_STATUS: device_status, 1 byte. */
    DEVICE_STATUS(0x103),
    /** VIRTIO_DEV_PART_VQ_CFG: {@link VirtqueueConfig}; selector = queue index. */
    VQ_CFG(0x104),
    /** VIRTIO_DEV_PART_VQ_NOTIFY_CFG: {@link VirtqueueNotifyConfig}; selector = queue index. */
    VQ_NOTIFY_CFG(0x105),
    /** VIRTIO_NET_DEV_PART_CVQ_CFG: data of one control command; selector = {@link NetControl class and command}. */
    NET_CVQ_CFG(0x200),
    /**
     * Not of virtio 1.4: {@link PackedVirtqueuePosition}; selector = queue index; always with {@link
     * DevicePart#FLAG_OPTIONAL}, so that a device that does not know it can skip it.
     *
     * <p>No part of virtio 1.4 carries where a device is in a packed virtqueue, and guest memory does not tell. The
     * number is from the end of the reserved range, which the standard assigns from its beginning, so that it stays
     * clear of numbers to come for as long as possible.
     */
    PACKED_VQ_POSITION(0xFF00);

    private final int number;

    DevicePartType(int number) {
        this.number = number;
    }

    /** The type as unsigned 16 bits. */
    public int number() {
        return number;
    }

    /** The type of a number; empty for one that is not known here. */
    public static Optional<DevicePartType> ofNumber(int number) {
        for (DevicePartType type : values()) {
            if (type.number == number) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
