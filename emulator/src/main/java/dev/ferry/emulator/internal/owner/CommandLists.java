// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.virtio.AdminOpcode.CAP_ID_LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.DEVICE_CAP_GET;
import static dev.ferry.virtio.AdminOpcode.DRIVER_CAP_SET;
import static dev.ferry.virtio.AdminOpcode.LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.LIST_USE;

import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.GroupType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;

/**
 * Which commands are supported, and which of them the driver has taken into use, per group type.
 *
 * <p>Lists are little-endian 64-bit words, bit b of word w for opcode 64 * w + b; all opcodes that this device knows
 * are in the first word. Guarded by the lock of the owner device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4,
 *     "VIRTIO_ADMIN_CMD_LIST_QUERY" and "VIRTIO_ADMIN_CMD_LIST_USE"</a>
 */
final class CommandLists {

    /** The capability commands, which Linux sends to the self group after listing them for the SR-IOV group only. */
    static final long CAPABILITY_COMMANDS = bit(CAP_ID_LIST_QUERY) | bit(DEVICE_CAP_GET) | bit(DRIVER_CAP_SET);

    private static final long AFTER_RESET = bit(LIST_QUERY) | bit(LIST_USE);

    private final Map<GroupType, Long> supported;
    private final Map<GroupType, Long> inUse = new EnumMap<>(GroupType.class);
    private final boolean strict;

    /**
     * Lists in the state after reset: only the two list commands are legal.
     *
     * @param strict whether the capability commands need a list of their own for the self group
     */
    CommandLists(Map<GroupType, Long> supported, boolean strict) {
        this.supported = supported;
        this.strict = strict;
        reset();
    }

    /** Only the list commands are in use from now on. */
    void reset() {
        for (GroupType group : GroupType.values()) {
            inUse.put(group, AFTER_RESET);
        }
    }

    /** The lists in use, for people. */
    @Override
    public String toString() {
        return "in use: " + inUse;
    }

    /** The bit of a command in a list. */
    static long bit(AdminOpcode opcode) {
        return 1L << opcode.number();
    }

    /** Whether the driver may send a command to a group now. */
    boolean isLegal(GroupType group, AdminOpcode opcode) {
        long legal = inUse.get(group);
        if (group == GroupType.SELF && !strict) {
            legal |= inUse.get(GroupType.SR_IOV) & CAPABILITY_COMMANDS;
        }
        return (legal & bit(opcode)) != 0;
    }

    /** LIST_QUERY. */
    AdminResult query(GroupType group, AdminExchange exchange) {
        ByteBuffer list = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        exchange.putResult(list.putLong(0, supported.get(group)));
        return AdminResult.SUCCESS;
    }

    /** LIST_USE; the list may leave out any command, the list commands too. */
    AdminResult use(GroupType group, AdminExchange exchange) {
        long list = exchange.data(Long.BYTES).getLong(0);
        if ((list & ~supported.get(group)) != 0 || exchange.hasDataFrom(Long.BYTES)) {
            return Refusal.INVALID_FIELD;
        }
        inUse.put(group, list);
        return AdminResult.SUCCESS;
    }
}
