// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtqueueConfig;
import java.util.List;

/**
 * Asks a member, through one device parts object, for the headers of its parts and for the values of those that tell
 * what it is.
 */
final class PartsProfile {

    private PartsProfile() {}

    /**
     * Reads it, with three commands where nothing changes meanwhile.
     *
     * @throws DeviceException EINVAL for a list that makes no sense or is not kept to; others as the device gives them
     */
    static DeviceProfile read(PartsQuestions questions) throws DeviceException {
        List<DevicePart> headers = questions.list();
        List<DevicePart> telling = headers.stream().filter(PartsProfile::isTelling).toList();
        List<DevicePart.Located> values = telling.isEmpty() ? List.of() : questions.select(telling);
        return new PartTraits(headers, values).profile();
    }

    private static boolean isTelling(DevicePart header) {
        return DevicePartType.ofNumber(header.type())
                .filter(type -> switch (type) {
                    case DEV_FEATURES, DRV_FEATURES -> isWords(header.length());
                    case DEVICE_STATUS -> header.length() == Byte.BYTES;
                    case PCI_COMMON_CFG -> isNumberOfQueues(header);
                    case VQ_CFG -> header.length() == VirtqueueConfig.BYTES;
                    case VQ_NOTIFY_CFG, NET_CVQ_CFG, PACKED_VQ_POSITION -> false;
                })
                .isPresent();
    }

    private static boolean isWords(long length) {
        return length > 0 && length % Long.BYTES == 0 && length <= PartTraits.MOST_FEATURE_BYTES;
    }

    static boolean isNumberOfQueues(DevicePart header) {
        return header.selector() == PciCommonConfig.NUM_QUEUES.offset()
                && header.length() == PciCommonConfig.NUM_QUEUES.size();
    }
}
