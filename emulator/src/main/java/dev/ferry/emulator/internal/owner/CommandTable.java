// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.context.ContextOpcode;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The commands of the owner device: who may be addressed by each, and what executes it. A command that is not in the
 * table is not supported. Guarded by the lock of the owner device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Group administration
 *     commands"</a>
 */
final class CommandTable {

    /** Whom a command is for. */
    private enum Addressee {
        /** A group of either type; the member id means nothing. */
        GROUP,
        /** The owner device by itself, member id 0 of the self group. */
        OWNER,
        /** One member of the SR-IOV group. */
        MEMBER;

        boolean isIn(GroupType group) {
            return switch (this) {
                case GROUP -> true;
                case OWNER -> group == GroupType.SELF;
                case MEMBER -> group == GroupType.SR_IOV;
            };
        }
    }

    @FunctionalInterface
    private interface Execution {
        AdminResult execute(AdminCommand command, SubmittedCommand submitted);
    }

    private static final Set<AdminOpcode> LIST_COMMANDS = EnumSet.of(AdminOpcode.LIST_QUERY, AdminOpcode.LIST_USE);

    private record Entry(Addressee addressee, Execution execution) {}

    /** By opcode, of whatever command set. */
    private final Map<Integer, Entry> table = new HashMap<>();
    private final CommandLists lists;
    private final MemberGroup members;
    private final DevPartsObjects objects;
    private final boolean strict;
    private final CommandSet set;

    /** The table of a device in the state after reset. */
    CommandTable(
            MemberGroup members,
            DevPartsObjects objects,
            DevPartsCapability capability,
            boolean strict,
            CommandSet set,
            boolean legacy,
            boolean writeRecords) {
        this.members = members;
        this.objects = objects;
        this.strict = strict;
        this.set = set;
        if (set.isContext()) {
            addContextCommands(new ContextCommands(members, set == CommandSet.CONTEXT_FORM_B));
            if (writeRecords) {
                addWriteRecordCommands(new WriteRecordCommands(members));
            }
        } else {
            addCapabilityCommands(new Capabilities(capability, objects));
            addObjectCommands(objects);
            addDevPartsCommands(new DevPartsCommands(members, objects));
        }
        if (legacy) {
            addLegacyCommands(new LegacyCommands(members));
        }
        addListCommands();
        lists = new CommandLists(supported(), strict);
    }

    /** Executes one command, or refuses it; the order of the checks is the text's. */
    AdminResult execute(SubmittedCommand submitted) {
        AdminCommand command = submitted.command();
        Optional<GroupType> group = GroupType.ofNumber(command.groupType());
        Optional<AdminOpcode> opcode = AdminOpcode.ofNumber(command.opcode());
        if (group.isEmpty() || isAbsent(group.get(), opcode)) {
            return Refusal.INVALID_GROUP;
        }
        if (set.isContext() && isContextCommandForOthers(group.get(), command.opcode())) {
            return Refusal.INVALID_GROUP;
        }
        if (!lists.isLegal(group.get(), command.opcode())) {
            return Refusal.INVALID_OPCODE;
        }
        Entry entry = table.get(command.opcode());
        if (!entry.addressee().isIn(group.get())) {
            return Refusal.INVALID_GROUP;
        }
        if (!hasMember(entry.addressee(), command.groupMemberId())) {
            return Refusal.INVALID_MEMBER;
        }
        return entry.execution().execute(command, submitted);
    }

    /** Reset of the owner device: lists, driver capabilities and objects are gone, and every member works. */
    void reset() {
        lists.reset();
        objects.reset();
        if (set.isContext()) {
            members.resetContexts();
        } else {
            members.resumeAll();
        }
    }

    /** The commands of the device context are for the SR-IOV group, whatever is in use. */
    private static boolean isContextCommandForOthers(GroupType group, int opcode) {
        return group != GroupType.SR_IOV && ContextOpcode.ofNumber(opcode).isPresent();
    }

    /** Linux lists and uses commands before it enables VFs, when by the text there is no SR-IOV group yet. */
    private boolean isAbsent(GroupType group, Optional<AdminOpcode> opcode) {
        boolean forLinux = !strict && opcode.filter(LIST_COMMANDS::contains).isPresent();
        return group == GroupType.SR_IOV && !members.isEnabled() && !forLinux;
    }

    private boolean hasMember(Addressee addressee, long id) {
        return switch (addressee) {
            case GROUP -> true;
            case OWNER -> id == 0;
            case MEMBER -> members.contains(id);
        };
    }

    /** What commands change in the owner device itself, for people. */
    @Override
    public String toString() {
        return lists + "; " + objects;
    }

    private void addListCommands() {
        add(AdminOpcode.LIST_QUERY, Addressee.GROUP, (command, submitted) -> lists.query(group(command), submitted));
        add(AdminOpcode.LIST_USE, Addressee.GROUP, (command, submitted) -> lists.use(group(command), submitted));
    }

    private void addCapabilityCommands(Capabilities capabilities) {
        add(AdminOpcode.CAP_ID_LIST_QUERY, Addressee.OWNER, (command, submitted) -> capabilities.listIds(submitted));
        add(AdminOpcode.DEVICE_CAP_GET, Addressee.OWNER, (command, submitted) -> capabilities.get(submitted));
        add(AdminOpcode.DRIVER_CAP_SET, Addressee.OWNER, (command, submitted) -> capabilities.set(submitted));
    }

    private void addObjectCommands(DevPartsObjects objects) {
        addForMember(AdminOpcode.RESOURCE_OBJ_CREATE, objects::create);
        addForMember(AdminOpcode.RESOURCE_OBJ_MODIFY, objects::modify);
        addForMember(AdminOpcode.RESOURCE_OBJ_QUERY, objects::query);
        addForMember(AdminOpcode.RESOURCE_OBJ_DESTROY, objects::destroy);
    }

    private void addDevPartsCommands(DevPartsCommands parts) {
        addForMember(AdminOpcode.DEV_PARTS_METADATA_GET, parts::metadata);
        addForMember(AdminOpcode.DEV_PARTS_GET, parts::get);
        addForMember(AdminOpcode.DEV_PARTS_SET, parts::set);
        addForMember(AdminOpcode.DEV_MODE_SET, parts::setMode);
    }

    private void addContextCommands(ContextCommands context) {
        addForMember(ContextOpcode.V1_DEV_MODE_GET, context::getMode);
        addForMember(ContextOpcode.V1_DEV_MODE_SET, context::setMode);
        addForMember(ContextOpcode.V1_DEV_CTX_SIZE_GET, context::size);
        addForMember(ContextOpcode.V1_DEV_CTX_READ, context::read);
        addForMember(ContextOpcode.V1_DEV_CTX_WRITE, context::write);
        addForMember(ContextOpcode.V1_DEV_CTX_FIELDS_QUERY, context::fields);
        addForMember(ContextOpcode.V1_DEV_CTX_DISCARD, context::discard);
    }

    private void addWriteRecordCommands(WriteRecordCommands records) {
        addForMember(ContextOpcode.V1_WRITE_RECORD_CAP_QUERY, records::capability);
        addForMember(ContextOpcode.V1_WRITE_RECORD_START, records::start);
        addForMember(ContextOpcode.V1_WRITE_RECORD_STOP, records::stop);
        addForMember(ContextOpcode.V1_WRITE_RECORD_READ, records::read);
    }

    private void addForMember(ContextOpcode opcode, MemberExecution execution) {
        table.put(opcode.number(), new Entry(Addressee.MEMBER, forMember(execution)));
    }

    private void addLegacyCommands(LegacyCommands legacy) {
        addForMember(AdminOpcode.LEGACY_COMMON_CFG_WRITE, legacy::writeCommon);
        addForMember(AdminOpcode.LEGACY_COMMON_CFG_READ, legacy::readCommon);
        addForMember(AdminOpcode.LEGACY_DEV_CFG_WRITE, legacy::writeDevice);
        addForMember(AdminOpcode.LEGACY_DEV_CFG_READ, legacy::readDevice);
        addForMember(AdminOpcode.LEGACY_NOTIFY_INFO, legacy::notifyInfo);
    }

    private void add(AdminOpcode opcode, Addressee addressee, Execution execution) {
        table.put(opcode.number(), new Entry(addressee, execution));
    }

    @FunctionalInterface
    private interface MemberExecution {
        AdminResult execute(long member, SubmittedCommand submitted);
    }

    private void addForMember(AdminOpcode opcode, MemberExecution execution) {
        add(opcode, Addressee.MEMBER, forMember(execution));
    }

    private static Execution forMember(MemberExecution execution) {
        return (command, submitted) -> execution.execute(command.groupMemberId(), submitted);
    }

    private Map<GroupType, BitSet> supported() {
        Map<GroupType, BitSet> supported = new EnumMap<>(GroupType.class);
        for (GroupType group : GroupType.values()) {
            BitSet list = new BitSet();
            table.forEach((opcode, entry) -> list.set(opcode, list.get(opcode) || entry.addressee().isIn(group)));
            supported.put(group, list);
        }
        if (table.containsKey(AdminOpcode.DEVICE_CAP_GET.number())) {
            // Linux looks for the capability commands in the list of the SR-IOV group, and nowhere else.
            supported.get(GroupType.SR_IOV).or(CommandLists.capabilityCommands());
        }
        return supported;
    }

    private static GroupType group(AdminCommand command) {
        return GroupType.ofNumber(command.groupType()).orElseThrow();
    }
}
