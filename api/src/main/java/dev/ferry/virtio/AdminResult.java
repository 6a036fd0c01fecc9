// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The head of the device-writable part of an admin command.
 *
 * <table>
 *   <caption>Layout, little-endian</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>status</td></tr>
 *   <tr><td>2</td><td>2</td><td>status_qualifier</td></tr>
 *   <tr><td>4</td><td>4</td><td>reserved2, zero</td></tr>
 *   <tr><td>8</td><td>m</td><td>command_specific_result</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param status unsigned 16 bits
 * @param statusQualifier unsigned 16 bits
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct
 *     virtio_admin_cmd</a>
 */
public record AdminResult(int status, int statusQualifier) {

    /** Bytes before the command-specific result. */
    public static final int HEADER_BYTES = 8;

    /** Success. */
    public static final AdminResult SUCCESS = of(AdminStatus.OK, AdminStatusQualifier.Q_OK);

    private static final int STATUS_OFFSET = 0;
    private static final int STATUS_QUALIFIER_OFFSET = 2;
    private static final int RESERVED2_OFFSET = 4;

    /** A result of named numbers. */
    public static AdminResult of(AdminStatus status, AdminStatusQualifier qualifier) {
        return new AdminResult(status.number(), qualifier.number());
    }

    /** Whether the command succeeded. */
    public boolean isOk() {
        return status == AdminStatus.OK.number();
    }

    /**
     * Writes the 8 bytes at the position of a buffer and moves it on.
     *
     * @throws BufferOverflowException when fewer than 8 bytes remain; nothing was written
     */
    public void encode(ByteBuffer into) {
        if (into.remaining() < HEADER_BYTES) {
            throw new BufferOverflowException();
        }
        into.slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(STATUS_OFFSET, (short) status)
                .putShort(STATUS_QUALIFIER_OFFSET, (short) statusQualifier)
                .putInt(RESERVED2_OFFSET, 0);
        into.position(into.position() + HEADER_BYTES);
    }

    /**
     * Reads the head of a device-writable part of which the device wrote {@code usedLength} bytes; what it did not
     * write reads as zero, as the text demands of a driver.
     *
     * @param from the device-writable part from its position on; not changed
     */
    public static AdminResult decode(ByteBuffer from, int usedLength) {
        ByteBuffer padded = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.min(Math.min(from.remaining(), HEADER_BYTES), Math.max(usedLength, 0));
        padded.put(0, from, from.position(), length);
        return new AdminResult(
                Short.toUnsignedInt(padded.getShort(STATUS_OFFSET)),
                Short.toUnsignedInt(padded.getShort(STATUS_QUALIFIER_OFFSET)));
    }
}
