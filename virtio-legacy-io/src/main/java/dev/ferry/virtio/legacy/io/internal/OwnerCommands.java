// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.driver.command.AdminExchange;
import dev.ferry.virtio.driver.command.AdminRequest;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.command.SystemClock;
import java.nio.ByteBuffer;

/**
 * Executes commands for members of one owner device, each within a bounded time.
 *
 * <p>Both parts have exactly the length that the command means, as with Linux, though the text asks for multiples of
 * eight bytes: the length of the buffer is the length of a legacy access. Thread-safe; waits on the caller's thread.
 */
final class OwnerCommands {

    private final AdminExchange exchange;

    OwnerCommands(String ownerId, AdminQueue queue, CommandTimeout timeout) {
        exchange = new AdminExchange(ownerId, queue, timeout, new SystemClock());
    }

    /**
     * Executes one command of the SR-IOV group.
     *
     * @param member id, or 0 for a command to the group
     * @param data command-specific data
     * @return as many bytes of result as were asked for, little-endian; zero where the device wrote none
     * @throws AdminCommandException for a status other than OK
     * @throws DeviceException as {@link AdminExchange#read}
     */
    ByteBuffer execute(AdminOpcode opcode, long member, byte[] data, int resultBytes) throws DeviceException {
        AdminCommand command = AdminCommand.of(opcode, GroupType.SR_IOV, member);
        ByteBuffer readable = ByteBuffer.allocate(AdminCommand.HEADER_BYTES + data.length);
        command.encode(readable);
        readable.put(data).flip();
        return exchange.read(
                new AdminRequest(command, new ByteBuffer[] {readable}, ByteBuffer.allocate(resultBytes)));
    }
}
