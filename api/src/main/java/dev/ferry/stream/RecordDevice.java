// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import dev.ferry.device.DeviceException;
import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * One device as a record type sees it, within one data transfer session; given by the driver that opened the session.
 *
 * <p>Used on the thread of the session's caller, and only until the session ends: later calls fail with {@link
 * dev.ferry.device.Errno#ENODEV}.
 *
 * <p>After {@link dev.ferry.device.Errno#ETIMEDOUT} the buffers of the call still belong to the device, which may read
 * or write them at any later time: whoever gave them must not use them again.
 */
@ConsumerType
public interface RecordDevice {

    /** The first opcode that virtio 1.4 leaves free (section "Group administration commands"). */
    int FIRST_VENDOR_OPCODE = 0x0012;

    /** The last opcode that virtio 1.4 leaves free; those behind are reserved. */
    int LAST_VENDOR_OPCODE = 0x7FFF;

    /**
     * The tag of the records that hold whole images of this device: {@link RecordHeader#TAG_DEVICE_DATA} for device
     * parts, {@link RecordHeader#TAG_DEVICE_CONTEXT} for a device context. A device loads no image of the other kind.
     * The same answer for the life of the session; does not block.
     */
    default int imageTag() {
        return RecordHeader.TAG_DEVICE_DATA;
    }

    /**
     * The most bytes that {@link #captureImage} can give now.
     *
     * @throws DeviceException EINVAL when the device says 0; other errnos as the device gives them
     */
    long imageSize() throws DeviceException;

    /**
     * Reads the whole state of the device, as one image.
     *
     * @param into has space for {@link #imageSize()} bytes; its position is moved behind the image
     * @throws DeviceException EINVAL for an empty image; other errnos as the device gives them; the content of the
     *     buffer is then undefined and its position unmoved; after ETIMEDOUT the buffer still belongs to the device
     */
    void captureImage(ByteBuffer into) throws DeviceException;

    /**
     * Hands a whole image to the device, all or nothing. It takes effect when the device runs again; one of device
     * parts is checked in this call, a device context when the device is resumed.
     *
     * @param image from position to limit; not changed
     * @throws DeviceException as the device gives them; the device is as before. After ETIMEDOUT that is not known, and
     *     the buffer still belongs to the device
     */
    void loadImage(ByteBuffer image) throws DeviceException;

    /**
     * Executes one admin command of a vendor for this device, for record types that carry more than the image. The
     * commands that virtio 1.4 names, below {@link #FIRST_VENDOR_OPCODE}, belong to the driver.
     *
     * <p>A driver should put no commands in use that nobody here knows (virtio 1.4, "Group administration commands").
     * So whoever deploys the record type also names its opcodes to the bundle that drives the device: in the key {@code
     * vendor.opcodes} of its configuration, whose default is none, {@code dev.ferry.virtio.net.provider} or {@code
     * dev.ferry.virtio.context.provider}.
     *
     * @param opcode {@link #FIRST_VENDOR_OPCODE} to {@link #LAST_VENDOR_OPCODE}
     * @param data command-specific data, from position to limit; not changed
     * @param result takes the command-specific result; its position is moved behind the bytes written
     * @throws DeviceException EOPNOTSUPP for other opcodes, when the device's owner does not report the opcode, when
     *     it is not in {@code vendor.opcodes}, or when this device is not driven by admin commands; EOVERFLOW when the
     *     device has more to say than the result has space for; other errnos as the device gives them. After ETIMEDOUT
     *     it is not known whether the command was executed, and both buffers still belong to the device
     */
    void execute(int opcode, ByteBuffer data, ByteBuffer result) throws DeviceException;
}
