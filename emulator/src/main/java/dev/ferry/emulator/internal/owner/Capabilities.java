// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevPartsCapability;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The capabilities of the owner device: one, about device parts objects. Guarded by the lock of the owner device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device and driver
 *     capabilities"</a>
 */
final class Capabilities {

    /** The list of capability ids: bit = id. */
    private static final long IDS = 1L << DevPartsCapability.ID;

    private static final int ID_OFFSET = 0;

    private final DevPartsCapability device;
    private final DevPartsObjects objects;

    /** The capability of the device, and the objects to which the driver's limits apply. */
    Capabilities(DevPartsCapability device, DevPartsObjects objects) {
        this.device = device;
        this.objects = objects;
    }

    /** CAP_ID_LIST_QUERY. */
    AdminResult listIds(SubmittedCommand submitted) {
        ByteBuffer list = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        submitted.putResult(list.putLong(0, IDS));
        return AdminResult.SUCCESS;
    }

    /** DEVICE_CAP_GET. */
    AdminResult get(SubmittedCommand submitted) {
        if (!isDevParts(submitted.data(DevPartsCapability.COMMAND_PREFIX_BYTES))) {
            return Refusal.NOT_FOUND;
        }
        ByteBuffer capability = ByteBuffer.allocate(DevPartsCapability.BYTES);
        device.encode(capability);
        submitted.putResult(capability.flip());
        return AdminResult.SUCCESS;
    }

    /** DRIVER_CAP_SET; while objects live, only to what it is already. */
    AdminResult set(SubmittedCommand submitted) {
        ByteBuffer data = submitted.data(DevPartsCapability.COMMAND_PREFIX_BYTES + DevPartsCapability.BYTES);
        if (!isDevParts(data)) {
            return Refusal.NOT_FOUND;
        }
        DevPartsCapability driver =
                DevPartsCapability.decode(data.position(DevPartsCapability.COMMAND_PREFIX_BYTES));
        if (driver.getLimit() > device.getLimit() || driver.setLimit() > device.setLimit()) {
            return Refusal.INVALID_FIELD;
        }
        if (objects.count() > 0 && !driver.equals(objects.limits())) {
            return Refusal.BUSY;
        }
        objects.setLimits(driver);
        return AdminResult.SUCCESS;
    }

    private static boolean isDevParts(ByteBuffer data) {
        return Short.toUnsignedInt(data.getShort(ID_OFFSET)) == DevPartsCapability.ID;
    }
}
