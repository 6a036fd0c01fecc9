// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;

/**
 * VIRTIO_DEV_PARTS_CAP: how many device parts objects may live at once.
 *
 * <table>
 *   <caption>Layout, 2 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>1</td><td>get_parts_resource_objects_limit</td></tr>
 *   <tr><td>1</td><td>1</td><td>set_parts_resource_objects_limit</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param getLimit most objects that read parts, 0 to 255
 * @param setLimit most objects that write parts, 0 to 255
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device parts
 *     capability"</a>
 */
public record DevPartsCapability(int getLimit, int setLimit) {

    /** The id of this capability. */
    public static final int ID = 0x0000;

    /** Bytes of an encoded capability. */
    public static final int BYTES = 2;

    /** The most that a limit can say: it is one byte. */
    public static final int MAX_LIMIT = 255;

    /** Bytes of {id u16, reserved[6]} before the capability in DEVICE_CAP_GET and DRIVER_CAP_SET. */
    public static final int COMMAND_PREFIX_BYTES = 8;

    /** Refuses limits that are no byte. */
    public DevPartsCapability {
        if (getLimit < 0 || getLimit > MAX_LIMIT || setLimit < 0 || setLimit > MAX_LIMIT) {
            throw new IllegalArgumentException("limits must be 0 to 255: " + getLimit + ", " + setLimit);
        }
    }

    /** Writes the 2 bytes at the position of a buffer and moves it on. */
    public void encode(ByteBuffer into) {
        into.put((byte) getLimit).put((byte) setLimit);
    }

    /** Reads at the position of a buffer and moves it on; missing bytes read as zero. */
    public static DevPartsCapability decode(ByteBuffer from) {
        int getLimit = from.hasRemaining() ? Byte.toUnsignedInt(from.get()) : 0;
        int setLimit = from.hasRemaining() ? Byte.toUnsignedInt(from.get()) : 0;
        return new DevPartsCapability(getLimit, setLimit);
    }
}
