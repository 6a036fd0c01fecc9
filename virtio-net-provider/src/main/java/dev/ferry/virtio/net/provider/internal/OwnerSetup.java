// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.virtio.AdminOpcode.CAP_ID_LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.DEVICE_CAP_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_MODE_SET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_METADATA_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_SET;
import static dev.ferry.virtio.AdminOpcode.DRIVER_CAP_SET;
import static dev.ferry.virtio.AdminOpcode.LEGACY_COMMON_CFG_WRITE;
import static dev.ferry.virtio.AdminOpcode.LEGACY_NOTIFY_INFO;
import static dev.ferry.virtio.AdminOpcode.LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.LIST_USE;
import static dev.ferry.virtio.AdminOpcode.RESOURCE_OBJ_CREATE;
import static dev.ferry.virtio.AdminOpcode.RESOURCE_OBJ_DESTROY;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordDevice;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.GroupType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * What an owner device is told before its members can be migrated: which commands will be used, and how many device
 * parts objects.
 *
 * <p>The sequence is the kernel's (drivers/virtio/virtio_pci_modern.c) with two differences: the list commands stay in
 * use, so that a person can still ask the owner device for its lists, and so do all commands of vendors that it reports
 * for its members, for record types that carry more than device parts. The legacy commands are put in use where there
 * are any, though nothing here needs them.
 */
final class OwnerSetup {

    /** What a migration needs. */
    private static final Set<AdminOpcode> REQUIRED = EnumSet.of(
            CAP_ID_LIST_QUERY,
            DEVICE_CAP_GET,
            DRIVER_CAP_SET,
            RESOURCE_OBJ_CREATE,
            RESOURCE_OBJ_DESTROY,
            DEV_PARTS_METADATA_GET,
            DEV_PARTS_GET,
            DEV_PARTS_SET,
            DEV_MODE_SET);

    /** Space for a list up to the last opcode of vendors; what a device reports behind it is reserved. */
    private static final int LIST_BYTES = (RecordDevice.LAST_VENDOR_OPCODE + 1) / Byte.SIZE;

    private final String ownerId;
    private final AdminQueue queue;
    private final AdminChannel channel;
    private final BooleanSupplier left;

    /**
     * A set-up to run once.
     *
     * @param left whether the owner device, or this bundle, has left; asked before each command, because a set-up that
     *     goes on would mix its commands with those of the next one
     */
    OwnerSetup(String ownerId, AdminQueue queue, AdminChannel channel, BooleanSupplier left) {
        this.ownerId = ownerId;
        this.queue = queue;
        this.channel = channel;
        this.left = left;
    }

    /**
     * Performs the sequence; takes at most eight times the bound of one command.
     *
     * @throws DeviceException EOPNOTSUPP when the owner device lacks what a migration needs; ENODEV when it has left;
     *     others as it gives them
     */
    OwnerDevice run() throws DeviceException {
        BitSet inUse = useOpcodes(GroupType.SR_IOV, RecordDevice.LAST_VENDOR_OPCODE);
        requireOpcodes(inUse);
        if (!capabilityIds().get(DevPartsCapability.ID)) {
            throw lacking("it has no device parts capability");
        }
        DevPartsCapability offered = deviceCapability();
        int limit = Math.min(offered.getLimit(), offered.setLimit());
        if (limit == 0) {
            throw lacking("it allows no device parts objects");
        }
        setDriverCapability(new DevPartsCapability(limit, limit));
        Optional<FunctionReset> reset =
                queue instanceof FunctionReset functionReset ? Optional.of(functionReset) : Optional.empty();
        return new OwnerDevice(ownerId, channel, new ObjectIds(ownerId, limit), inUse, reset);
    }

    /**
     * Puts in use what the owner device reports of the commands that are wanted.
     *
     * @param lastVendorOpcode the last of the commands of vendors that are wanted; one before the first for none
     */
    private BitSet useOpcodes(GroupType group, int lastVendorOpcode) throws DeviceException {
        BitSet inUse = bits(AdminRequest.toOwner(LIST_QUERY, group, 0, data -> {}, LIST_BYTES));
        BitSet wanted = new BitSet();
        wanted.set(LIST_QUERY.number());
        wanted.set(LIST_USE.number());
        REQUIRED.forEach(opcode -> wanted.set(opcode.number()));
        wanted.set(RecordDevice.FIRST_VENDOR_OPCODE, lastVendorOpcode + 1);
        if (group == GroupType.SR_IOV) { // for whoever gives members a legacy interface: only one driver sends LIST_USE
            wanted.set(LEGACY_COMMON_CFG_WRITE.number(), LEGACY_NOTIFY_INFO.number() + 1);
        }
        inUse.and(wanted);
        int words = Math.max(1, inUse.toLongArray().length);
        execute(AdminRequest.toOwner(
                LIST_USE, group, words * Long.BYTES, data -> data.slice().put(inUse.toByteArray()), 0));
        return inUse;
    }

    private void requireOpcodes(BitSet inUse) throws DeviceException {
        List<String> missing = new ArrayList<>();
        for (AdminOpcode opcode : REQUIRED) {
            if (!inUse.get(opcode.number())) {
                missing.add(opcode.name());
            }
        }
        if (!missing.isEmpty()) {
            throw lacking("it lacks the admin commands " + String.join(", ", missing));
        }
    }

    /**
     * Asks for the capabilities of the owner device itself. The kernel does so without a LIST_USE for the self group; a
     * device that holds the driver to the text refuses that, and is then told.
     */
    private BitSet capabilityIds() throws DeviceException {
        AdminRequest request = AdminRequest.toOwner(CAP_ID_LIST_QUERY, GroupType.SELF, 0, data -> {}, Long.BYTES);
        try {
            return bits(request);
        } catch (AdminCommandException e) {
            if (e.qualifier() != AdminStatusQualifier.Q_INVALID_OPCODE) {
                throw e;
            }
            useOpcodes(GroupType.SELF, RecordDevice.FIRST_VENDOR_OPCODE - 1);
            return bits(request);
        }
    }

    private DevPartsCapability deviceCapability() throws DeviceException {
        AdminRequest request = AdminRequest.toOwner(
                DEVICE_CAP_GET,
                GroupType.SELF,
                DevPartsCapability.COMMAND_PREFIX_BYTES,
                OwnerSetup::putCapabilityId,
                DevPartsCapability.BYTES);
        int length = Math.min(execute(request), request.result().capacity());
        return DevPartsCapability.decode(request.result().slice(0, length));
    }

    private void setDriverCapability(DevPartsCapability capability) throws DeviceException {
        execute(AdminRequest.toOwner(
                DRIVER_CAP_SET,
                GroupType.SELF,
                DevPartsCapability.COMMAND_PREFIX_BYTES + DevPartsCapability.BYTES,
                data -> {
                    putCapabilityId(data);
                    capability.encode(data);
                },
                0));
    }

    private static void putCapabilityId(ByteBuffer data) {
        data.putLong(DevPartsCapability.ID); // u16 id and six reserved bytes
    }

    /** A list of opcodes or capabilities, a bit each, as far as the result has space for it. */
    private BitSet bits(AdminRequest request) throws DeviceException {
        int length = Math.min(execute(request), request.result().capacity());
        return BitSet.valueOf(request.result().slice(0, length));
    }

    private int execute(AdminRequest request) throws DeviceException {
        if (left.getAsBoolean()) {
            throw new DeviceException(Errno.ENODEV, ownerId + " has left during its set-up");
        }
        return channel.execute(request);
    }

    private DeviceException lacking(String what) {
        return new DeviceException(Errno.EOPNOTSUPP, ownerId + " cannot migrate its members: " + what);
    }
}
