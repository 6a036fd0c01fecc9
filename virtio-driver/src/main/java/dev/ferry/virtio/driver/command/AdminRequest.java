// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.context.ContextOpcode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/**
 * One admin command as it goes to the queue: its header, the device-readable part, and the space for its result.
 *
 * @param command the header, for messages
 * @param readable the whole device-readable part, header first
 * @param result space for the command-specific result, from position to limit
 */
public record AdminRequest(AdminCommand command, ByteBuffer[] readable, ByteBuffer result) {

    /** Both parts must have a multiple of this many bytes (virtio 1.4, "Administration Virtqueues", driver rules). */
    public static final int UNIT_BYTES = 8;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** A command to the owner device itself or to its members as a group. */
    public static AdminRequest toOwner(
            AdminOpcode opcode, GroupType group, int dataBytes, Consumer<ByteBuffer> data, int resultBytes) {
        AdminCommand command = AdminCommand.of(opcode, group, 0);
        return new AdminRequest(command, readable(command, dataBytes, data), space(resultBytes));
    }

    /** A command to one member that gives no result. */
    public static AdminRequest toMember(AdminOpcode opcode, int member, int dataBytes, Consumer<ByteBuffer> data) {
        return toMember(opcode, member, dataBytes, data, NOTHING);
    }

    /** A command to one member. */
    public static AdminRequest toMember(
            AdminOpcode opcode, int member, int dataBytes, Consumer<ByteBuffer> data, ByteBuffer result) {
        return toMember(opcode.number(), member, dataBytes, data, result);
    }

    /** A command to one member, by a number of any command set. */
    public static AdminRequest toMember(
            int opcode, int member, int dataBytes, Consumer<ByteBuffer> data, ByteBuffer result) {
        AdminCommand command = new AdminCommand(opcode, GroupType.SR_IOV.number(), member);
        return new AdminRequest(command, readable(command, dataBytes, data), result);
    }

    /** The same command with more data behind, which is not copied, and zeros up to a multiple of 8 bytes. */
    public AdminRequest with(ByteBuffer payload) {
        int padding = roundUp(payload.remaining()) - payload.remaining();
        if (padding == 0) {
            return withExactly(payload);
        }
        return new AdminRequest(
                command, new ByteBuffer[] {readable[0], payload.slice(), ByteBuffer.allocate(padding)}, result);
    }

    /** The same command with more data behind, which is not copied, and nothing else. */
    public AdminRequest withExactly(ByteBuffer payload) {
        return payload.hasRemaining()
                ? new AdminRequest(command, new ByteBuffer[] {readable[0], payload.slice()}, result)
                : this;
    }

    /** Space for a small result; zero, as bytes that a device leaves out must read. */
    public static ByteBuffer space(int bytes) {
        return ByteBuffer.allocate(roundUp(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer[] readable(AdminCommand command, int dataBytes, Consumer<ByteBuffer> data) {
        ByteBuffer bytes = ByteBuffer.allocate(AdminCommand.HEADER_BYTES + roundUp(dataBytes))
                .order(ByteOrder.LITTLE_ENDIAN);
        command.encode(bytes);
        data.accept(bytes);
        return new ByteBuffer[] {bytes.rewind()};
    }

    static int roundUp(int bytes) {
        return (bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    }

    /** The command for people: {@code DEV_MODE_SET for member 3}. */
    String describe() {
        String name = AdminOpcode.ofNumber(command.opcode())
                .map(Enum::name)
                .or(() -> ContextOpcode.ofNumber(command.opcode()).map(Enum::name))
                .orElseGet(() -> "0x%04x".formatted(command.opcode()));
        return command.groupMemberId() == 0 ? name : name + " for member " + command.groupMemberId();
    }
}
