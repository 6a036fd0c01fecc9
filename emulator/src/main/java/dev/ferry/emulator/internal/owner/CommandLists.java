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
import java.util.BitSet;
import java.util.EnumMap;
import java.util.Map;

/**
 * Which commands are supported, and which of them the driver has taken into use, per group type.
 *
 * <p>Lists are little-endian 64-bit words, bit b of word w for opcode 64 * w + b; as many words as the largest opcode
 * that a group supports needs. Guarded by the lock of the owner device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4,
 *     "VIRTIO_ADMIN_CMD_LIST_QUERY" and "VIRTIO_ADMIN_CMD_LIST_USE"</a>
 */
final class CommandLists {

    /** The capability commands, which Linux sends to the self group after listing them for the SR-IOV group only. */
    private static final BitSet CAPABILITY_COMMANDS = bits(CAP_ID_LIST_QUERY, DEVICE_CAP_GET, DRIVER_CAP_SET);

    private static final BitSet AFTER_RESET = bits(LIST_QUERY, LIST_USE);

    private final Map<GroupType, BitSet> supported;
    private final Map<GroupType, BitSet> inUse = new EnumMap<>(GroupType.class);
    private final boolean strict;

    /**
     * Lists in the state after reset: only the two list commands are legal.
     *
     * @param strict whether the capability commands need a list of their own for the self group
     */
    CommandLists(Map<GroupType, BitSet> supported, boolean strict) {
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

    /** The list of some commands. */
    static BitSet bits(AdminOpcode... opcodes) {
        BitSet list = new BitSet();
        for (AdminOpcode opcode : opcodes) {
            list.set(opcode.number());
        }
        return list;
    }

    /** The capability commands; a new list. */
    static BitSet capabilityCommands() {
        return (BitSet) CAPABILITY_COMMANDS.clone();
    }

    /** Whether the driver may send a command to a group now. */
    boolean isLegal(GroupType group, int opcode) {
        return inUse.get(group).get(opcode)
                || group == GroupType.SELF
                        && !strict
                        && CAPABILITY_COMMANDS.get(opcode)
                        && inUse.get(GroupType.SR_IOV).get(opcode);
    }

    /** LIST_QUERY. */
    AdminResult query(GroupType group, SubmittedCommand submitted) {
        submitted.putResult(ByteBuffer.allocate(listBytes(group))
                .put(0, supported.get(group).toByteArray()));
        return AdminResult.SUCCESS;
    }

    /** LIST_USE; the list may leave out any command, the list commands too. */
    AdminResult use(GroupType group, SubmittedCommand submitted) {
        int bytes = listBytes(group);
        BitSet list = BitSet.valueOf(submitted.data(bytes));
        BitSet unknown = (BitSet) list.clone();
        unknown.andNot(supported.get(group));
        if (!unknown.isEmpty() || submitted.hasDataFrom(bytes)) {
            return Refusal.INVALID_FIELD;
        }
        inUse.put(group, list);
        return AdminResult.SUCCESS;
    }

    private int listBytes(GroupType group) {
        return (supported.get(group).length() + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
    }
}
