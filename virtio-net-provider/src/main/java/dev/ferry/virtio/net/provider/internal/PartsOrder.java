// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Device parts must go to a device in the order of the text's table, which is that of their numbers; no others are sent
 * (virtio 1.4, "Device parts", driver requirements). Parts of types that it does not name may stand anywhere.
 */
final class PartsOrder {

    private PartsOrder() {}

    /**
     * Looks at the headers.
     *
     * @param parts not changed
     * @throws DeviceException EINVAL for a part that is cut off or stands behind one that must follow it
     */
    static void require(ByteBuffer parts) throws DeviceException {
        List<DevicePart.Located> all = DevicePart.readAll(parts);
        int last = 0;
        for (DevicePart.Located part : all) {
            int type = part.header().type();
            if (DevicePartType.ofNumber(type).isEmpty()) {
                continue;
            }
            if (type < last) {
                throw new DeviceException(
                        Errno.EINVAL,
                        "the device part of type 0x%x at byte %d comes after one of type 0x%x, which must follow it"
                                .formatted(type, part.offset(), last));
            }
            last = type;
        }
    }
}
