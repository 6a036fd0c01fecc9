// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.virtio.AdminOpcode.CAP_ID_LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.DEVICE_CAP_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_MODE_SET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_METADATA_GET;
import static dev.ferry.virtio.AdminOpcode.DEV_PARTS_SET;
import static dev.ferry.virtio.AdminOpcode.DRIVER_CAP_SET;
import static dev.ferry.virtio.AdminOpcode.LIST_QUERY;
import static dev.ferry.virtio.AdminOpcode.LIST_USE;
import static dev.ferry.virtio.AdminOpcode.RESOURCE_OBJ_CREATE;
import static dev.ferry.virtio.AdminOpcode.RESOURCE_OBJ_DESTROY;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.GroupType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What an owner device is told before its members can be migrated: which commands will be used, and how many device
 * parts objects.
 *
 * <p>The sequence is the kernel's (drivers/virtio/virtio_pci_modern.c) with one difference: the list commands stay in
 * use, so that a person can still ask the owner device for its lists.
 */
final class OwnerSetup {

    /** What a migration needs: 0x3E780. */
    static final long REQUIRED_OPCODES = maskOf(
            CAP_ID_LIST_QUERY,
            DEVICE_CAP_GET,
            DRIVER_CAP_SET,
            RESOURCE_OBJ_CREATE,
            RESOURCE_OBJ_DESTROY,
            DEV_PARTS_METADATA_GET,
            DEV_PARTS_GET,
            DEV_PARTS_SET,
            DEV_MODE_SET);

    private static final long LIST_OPCODES = maskOf(LIST_QUERY, LIST_USE);

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
        long inUse = useOpcodes(GroupType.SR_IOV);
        requireOpcodes(inUse);
        if ((capabilityIds() & 1L << DevPartsCapability.ID) == 0) {
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

    private long useOpcodes(GroupType group) throws DeviceException {
        long reported = word(AdminRequest.toOwner(LIST_QUERY, group, 0, data -> {}, Long.BYTES));
        long inUse = reported & (REQUIRED_OPCODES | LIST_OPCODES);
        execute(AdminRequest.toOwner(LIST_USE, group, Long.BYTES, data -> data.putLong(inUse), 0));
        return inUse;
    }

    private void requireOpcodes(long inUse) throws DeviceException {
        List<String> missing = new ArrayList<>();
        for (AdminOpcode opcode : AdminOpcode.values()) {
            if ((REQUIRED_OPCODES & ~inUse & 1L << opcode.number()) != 0) {
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
    private long capabilityIds() throws DeviceException {
        AdminRequest request = AdminRequest.toOwner(CAP_ID_LIST_QUERY, GroupType.SELF, 0, data -> {}, Long.BYTES);
        try {
            return word(request);
        } catch (AdminCommandException e) {
            if (e.qualifier() != AdminStatusQualifier.Q_INVALID_OPCODE) {
                throw e;
            }
            useOpcodes(GroupType.SELF);
            return word(request);
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

    /** The first word of a list; further words hold opcodes and capabilities that mean nothing here. */
    private long word(AdminRequest request) throws DeviceException {
        int length = execute(request);
        long word = 0;
        for (int index = 0; index < Math.min(length, Long.BYTES); index++) {
            word |= Byte.toUnsignedLong(request.result().get(index)) << index * Byte.SIZE;
        }
        return word;
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

    private static long maskOf(AdminOpcode... opcodes) {
        long mask = 0;
        for (AdminOpcode opcode : opcodes) {
            mask |= 1L << opcode.number();
        }
        return mask;
    }
}
