// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.DevPartsObject;
import dev.ferry.virtio.DevPartsObject.Metadata;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtqueueConfig;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks a member, through one device parts object, for the headers of its parts and for the values of those that tell
 * what it is.
 */
final class PartsProfile {

    /** The most parts of one device that are believed: two for each of 65535 queues, and as many again. */
    static final int MOST_PARTS = 4 * 65_536;

    /** How often a list that does not fit is asked for, with twice the space each time. */
    private static final int MOST_LISTS = 3;

    private PartsProfile() {}

    /**
     * Reads it, with three commands where nothing changes meanwhile.
     *
     * @throws DeviceException EINVAL for a list that makes no sense or is not kept to; others as the device gives them
     */
    static DeviceProfile read(PartsObject object) throws DeviceException {
        List<DevicePart> headers = list(object);
        List<DevicePart> telling = headers.stream().filter(PartsProfile::isTelling).toList();
        List<DevicePart.Located> values = telling.isEmpty() ? List.of() : object.select(telling);
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

    private static List<DevicePart> list(PartsObject object) throws DeviceException {
        int space = count(object.metadata(Metadata.COUNT), object);
        for (int attempt = 1; ; attempt++) {
            try {
                return decode(object.list(space), object);
            } catch (AdminCommandException e) {
                if (e.status() != AdminStatus.ENOMEM || attempt == MOST_LISTS) {
                    throw e;
                }
                space = 2 * space;
            }
        }
    }

    private static int count(ByteBuffer result, PartsObject object) throws DeviceException {
        long count = Integer.toUnsignedLong(result.getInt(0));
        if (count == 0 || count > MOST_PARTS) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "%s says that it has %d device parts, where 1 to %d make sense"
                            .formatted(object.describe(), count, MOST_PARTS));
        }
        return (int) count;
    }

    private static List<DevicePart> decode(ByteBuffer list, PartsObject object) throws DeviceException {
        int count = count(list, object);
        list.position(DevPartsObject.METADATA_RESULT_BYTES);
        int given = list.remaining() / DevicePart.HEADER_BYTES;
        if (given < count) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "%s lists %d device parts and gives the headers of %d: its list is cut off; check the owner device"
                            .formatted(object.describe(), count, given));
        }
        List<DevicePart> headers = new ArrayList<>(count);
        for (int part = 0; part < count; part++) {
            headers.add(DevicePart.decode(list));
        }
        return headers;
    }
}
