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
 */
@ConsumerType
public interface RecordDevice {

    /**
     * The most bytes that {@link #captureDeviceParts} can give now.
     *
     * @throws DeviceException EINVAL when the device says 0; other errnos as the device gives them
     */
    long devicePartsSize() throws DeviceException;

    /**
     * Reads all device parts, as one whole image.
     *
     * @param into has space for {@link #devicePartsSize()} bytes; its position is moved behind the parts
     * @throws DeviceException EINVAL for an empty image; other errnos as the device gives them; the content of the
     *     buffer is then undefined and its position unmoved
     */
    void captureDeviceParts(ByteBuffer into) throws DeviceException;

    /**
     * Hands whole device parts to the device, all or nothing; they take effect when it runs again.
     *
     * @param parts from position to limit; not changed
     * @throws DeviceException as the device gives them; the device is as before
     */
    void loadDeviceParts(ByteBuffer parts) throws DeviceException;

    /**
     * Executes one admin command for this device, for record types that carry more than device parts.
     *
     * @param opcode 0 to 0xFFFF
     * @param data command-specific data, from position to limit; not changed
     * @param result takes the command-specific result; its position is moved behind the bytes written
     * @throws DeviceException EOPNOTSUPP when the device's owner does not know the opcode or this device is not driven
     *     by admin commands; other errnos as the device gives them
     */
    void execute(int opcode, ByteBuffer data, ByteBuffer result) throws DeviceException;
}
