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
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.driver.CommandSet;
import dev.ferry.virtio.driver.OtherCommandSetException;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.AdminRequest;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an owner device is told before its members can be migrated: which commands will be used, and how many device
 * parts objects.
 *
 * <p>Each group type has a list of its own, which must be in use before anything else is sent to it: LIST_QUERY, then
 * LIST_USE with those of the reported commands that are known here; first for the members, then for the owner device
 * itself. A device of the kind that the kernel's driver was made for (drivers/virtio/virtio_pci_modern.c) has no list
 * for itself and reports the capability commands with those for members; that is enough then. The list commands stay in
 * use, so that a person can still ask; the legacy commands are put in use where there are any, though nothing here
 * needs them, for whoever gives members a legacy interface: only one driver of an owner device may send LIST_USE.
 */
final class OwnerSetup {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerSetup.class);

    /** What a migration needs of the group of members. */
    private static final Set<AdminOpcode> FOR_MEMBERS = EnumSet.of(
            RESOURCE_OBJ_CREATE,
            RESOURCE_OBJ_DESTROY,
            DEV_PARTS_METADATA_GET,
            DEV_PARTS_GET,
            DEV_PARTS_SET,
            DEV_MODE_SET);

    /** What it needs of the owner device itself. */
    private static final Set<AdminOpcode> FOR_OWNER =
            EnumSet.of(CAP_ID_LIST_QUERY, DEVICE_CAP_GET, DRIVER_CAP_SET);

    /** Space for a list up to the last opcode of vendors; what a device reports behind it is reserved. */
    private static final int LIST_BYTES = (RecordDevice.LAST_VENDOR_OPCODE + 1) / Byte.SIZE;

    private final String ownerId;
    private final AdminQueue queue;
    private final AdminChannel channel;
    private final ProviderSettings settings;
    private final BooleanSupplier left;

    /**
     * A set-up to run once.
     *
     * @param left whether the owner device, or this bundle, has left; asked before each command, because a set-up that
     *     goes on would mix its commands with those of the next one
     */
    OwnerSetup(
            String ownerId, AdminQueue queue, AdminChannel channel, ProviderSettings settings, BooleanSupplier left) {
        this.ownerId = ownerId;
        this.queue = queue;
        this.channel = channel;
        this.settings = settings;
        this.left = left;
    }

    /**
     * Performs the sequence; takes at most nine times the bound of one command.
     *
     * @throws DeviceException EOPNOTSUPP when the owner device lacks what a migration needs; ENODEV when it has left;
     *     EBUSY when commands from before are still with it; others as it gives them
     */
    OwnerDevice run() throws DeviceException {
        BitSet inUse = useListOfMembers();
        if (!useListOfOwner() && !containsAll(inUse, FOR_OWNER)) {
            throw lacking("it lacks the admin commands " + missing(inUse, FOR_OWNER));
        }
        if (!bits(AdminRequest.toOwner(CAP_ID_LIST_QUERY, GroupType.SELF, 0, data -> {}, Long.BYTES))
                .get(DevPartsCapability.ID)) {
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
        Optional<FunctionDirtyTracking> tracking =
                queue instanceof FunctionDirtyTracking can ? Optional.of(can) : Optional.empty();
        ObjectIds ids = new ObjectIds(ownerId, limit, settings.objectWait(), System::nanoTime);
        return new OwnerDevice(ownerId, channel, ids, new LostObjects(channel, ids), inUse, reset, tracking);
    }

    private BitSet useListOfMembers() throws DeviceException {
        BitSet wanted = settings.vendorOpcodes().bits();
        FOR_MEMBERS.forEach(opcode -> wanted.set(opcode.number()));
        FOR_OWNER.forEach(opcode -> wanted.set(opcode.number()));
        wanted.set(LEGACY_COMMON_CFG_WRITE.number(), LEGACY_NOTIFY_INFO.number() + 1);
        BitSet reported = listOf(GroupType.SR_IOV);
        if (CommandSet.of(reported) != CommandSet.DEVICE_PARTS) {
            throw new OtherCommandSetException(ownerId + " speaks the command set of the device context");
        }
        BitSet inUse = use(GroupType.SR_IOV, reported, wanted);
        if (!containsAll(inUse, FOR_MEMBERS)) {
            throw lacking("it lacks the admin commands " + missing(inUse, FOR_MEMBERS));
        }
        return inUse;
    }

    /**
     * Puts the owner device's own list in use.
     *
     * @return false when it has none with what is needed
     */
    private boolean useListOfOwner() throws DeviceException {
        BitSet wanted = new BitSet();
        FOR_OWNER.forEach(opcode -> wanted.set(opcode.number()));
        try {
            BitSet reported = listOf(GroupType.SELF);
            return containsAll(reported, FOR_OWNER) && containsAll(use(GroupType.SELF, reported, wanted), FOR_OWNER);
        } catch (AdminCommandException e) {
            if (e.status() != AdminStatus.EINVAL) {
                throw e;
            }
            LOG.debug("{} has no list of commands of its own", ownerId, e);
            return false;
        }
    }

    private BitSet listOf(GroupType group) throws DeviceException {
        return bits(AdminRequest.toOwner(LIST_QUERY, group, 0, data -> {}, LIST_BYTES));
    }

    /** LIST_USE of what is both reported and wanted, while no other command of this bundle is with the device. */
    private BitSet use(GroupType group, BitSet reported, BitSet wanted) throws DeviceException {
        BitSet inUse = (BitSet) wanted.clone();
        inUse.set(LIST_QUERY.number());
        inUse.set(LIST_USE.number());
        inUse.and(reported);
        channel.awaitIdle();
        int words = Math.max(1, inUse.toLongArray().length);
        execute(AdminRequest.toOwner(
                LIST_USE, group, words * Long.BYTES, data -> data.slice().put(inUse.toByteArray()), 0));
        return inUse;
    }

    private static boolean containsAll(BitSet list, Set<AdminOpcode> opcodes) {
        return opcodes.stream().allMatch(opcode -> list.get(opcode.number()));
    }

    private static String missing(BitSet list, Set<AdminOpcode> opcodes) {
        return opcodes.stream()
                .filter(opcode -> !list.get(opcode.number()))
                .map(Enum::name)
                .collect(Collectors.joining(", "));
    }

    private DevPartsCapability deviceCapability() throws DeviceException {
        requireStays();
        return DevPartsCapability.decode(channel.read(AdminRequest.toOwner(
                DEVICE_CAP_GET,
                GroupType.SELF,
                DevPartsCapability.COMMAND_PREFIX_BYTES,
                OwnerSetup::putCapabilityId,
                DevPartsCapability.BYTES)));
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
        requireStays();
        return BitSet.valueOf(channel.read(request));
    }

    private void execute(AdminRequest request) throws DeviceException {
        requireStays();
        channel.execute(request);
    }

    private void requireStays() throws DeviceException {
        if (left.getAsBoolean()) {
            throw new DeviceException(Errno.ENODEV, ownerId + " has left during its set-up");
        }
    }

    private DeviceException lacking(String what) {
        return new DeviceException(Errno.EOPNOTSUPP, ownerId + " cannot migrate its members: " + what);
    }
}
