// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of an admin command, and how a whole request lies in memory.
 *
 * <table>
 *   <caption>Device-readable part, little-endian</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>opcode</td></tr>
 *   <tr><td>2</td><td>2</td><td>group_type</td></tr>
 *   <tr><td>4</td><td>12</td><td>reserved1, zero</td></tr>
 *   <tr><td>16</td><td>8</td><td>group_member_id</td></tr>
 *   <tr><td>24</td><td>n</td><td>command_specific_data</td></tr>
 * </table>
 *
 * <p>The device-writable part is an {@link AdminResult}. Immutable.
 *
 * @param opcode unsigned 16 bits
 * @param groupType unsigned 16 bits
 * @param groupMemberId unsigned 64 bits
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct
 *     virtio_admin_cmd</a>
 */
public record AdminCommand(int opcode, int groupType, long groupMemberId) {

    /** Bytes of an encoded header; command-specific data begins here. */
    public static final int HEADER_BYTES = 24;

    private static final int OPCODE_OFFSET = 0;
    private static final int GROUP_TYPE_OFFSET = 2;
    private static final int GROUP_MEMBER_ID_OFFSET = 16;

    /** A command to one member of the SR-IOV group, or to the owner itself with member id 0. */
    public static AdminCommand of(AdminOpcode opcode, GroupType groupType, long groupMemberId) {
        return new AdminCommand(opcode.number(), groupType.number(), groupMemberId);
    }

    /**
     * Writes the 24 bytes at the position of a buffer and moves it on.
     *
     * @throws BufferOverflowException when fewer than 24 bytes remain; nothing was written
     */
    public void encode(ByteBuffer into) {
        if (into.remaining() < HEADER_BYTES) {
            throw new BufferOverflowException();
        }
        ByteBuffer at = into.slice().order(ByteOrder.LITTLE_ENDIAN);
        at.putLong(0, 0).putLong(8, 0);
        at.putShort(OPCODE_OFFSET, (short) opcode)
                .putShort(GROUP_TYPE_OFFSET, (short) groupType)
                .putLong(GROUP_MEMBER_ID_OFFSET, groupMemberId);
        into.position(into.position() + HEADER_BYTES);
    }

    /**
     * Reads a header at the position of a buffer and moves it on by 24 bytes, or to the limit where fewer are left:
     * missing bytes read as zero, as the text demands of a device.
     */
    public static AdminCommand decode(ByteBuffer from) {
        ByteBuffer padded = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.min(from.remaining(), HEADER_BYTES);
        padded.put(0, from, from.position(), length);
        from.position(from.position() + length);
        return new AdminCommand(
                Short.toUnsignedInt(padded.getShort(OPCODE_OFFSET)),
                Short.toUnsignedInt(padded.getShort(GROUP_TYPE_OFFSET)),
                padded.getLong(GROUP_MEMBER_ID_OFFSET));
    }
}
