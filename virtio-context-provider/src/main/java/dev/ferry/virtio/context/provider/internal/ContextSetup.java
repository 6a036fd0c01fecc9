// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import static dev.ferry.virtio.AdminOpcode.LEGACY_COMMON_CFG_WRITE;
import static dev.ferry.virtio.AdminOpcode.LEGACY_NOTIFY_INFO;
import static dev.ferry.virtio.AdminOpcode.LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.LIST_USE;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDevice;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.context.ContextOpcode;
import dev.ferry.virtio.context.WriteRecordCapability;
import dev.ferry.virtio.driver.CommandSet;
import dev.ferry.virtio.driver.CommandSetUnknownException;
import dev.ferry.virtio.driver.OtherCommandSetException;
import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.util.BitSet;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What an owner device is told before its members can be migrated: which commands will be used. An owner that does not
 * report this command set is asked for its list and told nothing.
 */
final class ContextSetup {

    /** Space for a list up to the last opcode of vendors; what a device reports behind it is reserved. */
    private static final int LIST_BYTES = (RecordDevice.LAST_VENDOR_OPCODE + 1) / Byte.SIZE;

    private static final int FIRST_MEMBER = 1;

    private final String ownerId;
    private final AdminQueue queue;
    private final AdminChannel channel;
    private final VendorOpcodes vendorOpcodes;
    private final BooleanSupplier left;

    /**
     * A set-up to run once.
     *
     * @param vendorOpcodes what record types may send, as far as the owner reports it
     * @param left whether the owner device, or this bundle, has left; asked before each command
     */
    ContextSetup(
            String ownerId,
            AdminQueue queue,
            AdminChannel channel,
            VendorOpcodes vendorOpcodes,
            BooleanSupplier left) {
        this.ownerId = ownerId;
        this.queue = queue;
        this.channel = channel;
        this.vendorOpcodes = vendorOpcodes;
        this.left = left;
    }

    /**
     * Asks for the list, puts in use what is wanted of it, and asks what can be recorded; three commands.
     *
     * @throws OtherCommandSetException when the owner does not report this set
     * @throws CommandSetUnknownException when it reports nothing
     * @throws DeviceException EOPNOTSUPP when it reports a part of it; ENODEV when it has left; EBUSY when commands
     *     from before are still with it; others as it gives them
     */
    ContextOwner run() throws DeviceException {
        BitSet inUse = list();
        if (CommandSet.of(inUse) != CommandSet.DEVICE_CONTEXT) {
            throw new OtherCommandSetException(ownerId + " does not speak the command set of the device context");
        }
        requireWhole(inUse);
        inUse.and(wanted());
        channel.awaitIdle();
        requireHere();
        channel.execute(AdminRequest.toOwner(
                LIST_USE,
                GroupType.SR_IOV,
                inUse.toLongArray().length * Long.BYTES,
                data -> data.slice().put(inUse.toByteArray()),
                0));
        Optional<FunctionReset> reset =
                queue instanceof FunctionReset functionReset ? Optional.of(functionReset) : Optional.empty();
        return new ContextOwner(ownerId, channel, inUse, writeRecords(inUse), reset);
    }

    private BitSet list() throws DeviceException {
        requireHere();
        try {
            return BitSet.valueOf(
                    channel.read(AdminRequest.toOwner(LIST_QUERY, GroupType.SR_IOV, 0, data -> {}, LIST_BYTES)));
        } catch (DeviceException e) {
            throw new CommandSetUnknownException(e); // the provider of device parts tells
        }
    }

    /** The members of an owner are alike, so the first is asked for all. */
    private Optional<WriteRecordCapability> writeRecords(BitSet inUse) throws DeviceException {
        if (!inUse.get(ContextOpcode.V1_WRITE_RECORD_CAP_QUERY.number())) {
            return Optional.empty();
        }
        requireHere();
        WriteRecordCapability capability = WriteRecordCapability.decode(channel.read(AdminRequest.toMember(
                ContextOpcode.V1_WRITE_RECORD_CAP_QUERY.number(),
                FIRST_MEMBER,
                0,
                data -> {},
                AdminRequest.space(WriteRecordCapability.BYTES))));
        return capability.pageSizes() == 0 || capability.maxRanges() == 0
                ? Optional.empty()
                : Optional.of(capability);
    }

    /**
     * All commands of the set; commands of vendors that somebody here knows, for record types; the list commands, so
     * that a person can ask; and the legacy commands, for whoever gives members a legacy interface: only one driver of
     * an owner device sends LIST_USE.
     */
    private BitSet wanted() {
        BitSet wanted = vendorOpcodes.bits();
        for (ContextOpcode opcode : ContextOpcode.values()) {
            wanted.set(opcode.number());
        }
        wanted.set(LIST_QUERY.number());
        wanted.set(LIST_USE.number());
        wanted.set(LEGACY_COMMON_CFG_WRITE.number(), LEGACY_NOTIFY_INFO.number() + 1);
        return wanted;
    }

    /** The commands of the context come all or none, and so do those of write records, which are not needed. */
    private void requireWhole(BitSet reported) throws DeviceException {
        for (ContextOpcode opcode : ContextOpcode.values()) {
            if (!opcode.isWriteRecord() && !reported.get(opcode.number())) {
                throw new DeviceException(
                        Errno.EOPNOTSUPP,
                        "%s cannot migrate its members: it lacks the admin command %s".formatted(ownerId, opcode));
            }
        }
        boolean records = reported.get(ContextOpcode.V1_WRITE_RECORD_START.number());
        for (ContextOpcode opcode : ContextOpcode.values()) {
            if (opcode.isWriteRecord() && reported.get(opcode.number()) != records) {
                throw new DeviceException(
                        Errno.EOPNOTSUPP,
                        "%s cannot migrate its members: it has only some of the commands of write records"
                                .formatted(ownerId));
            }
        }
    }

    private void requireHere() throws DeviceException {
        if (left.getAsBoolean()) {
            throw new DeviceException(Errno.ENODEV, ownerId + " has left during its set-up");
        }
    }
}
