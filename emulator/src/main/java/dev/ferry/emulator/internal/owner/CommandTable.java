// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevPartsCapability;
import dev.ferry.virtio.GroupType;
import java.util.EnumMap;
import java.util.EnumSet;
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
        AdminResult execute(AdminCommand command, AdminExchange exchange);
    }

    private static final Set<AdminOpcode> LIST_COMMANDS = EnumSet.of(AdminOpcode.LIST_QUERY, AdminOpcode.LIST_USE);

    private record Entry(Addressee addressee, Execution execution) {}

    private final Map<AdminOpcode, Entry> table = new EnumMap<>(AdminOpcode.class);
    private final CommandLists lists;
    private final MemberGroup members;
    private final DevPartsObjects objects;
    private final boolean strict;

    /** The table of a device in the state after reset. */
    CommandTable(
            MemberGroup members,
            DevPartsObjects objects,
            DevPartsCapability capability,
            boolean strict,
            boolean legacy) {
        this.members = members;
        this.objects = objects;
        this.strict = strict;
        addCapabilityCommands(new Capabilities(capability, objects));
        addObjectCommands(objects);
        addDevPartsCommands(new DevPartsCommands(members, objects));
        if (legacy) {
            addLegacyCommands(new LegacyCommands(members));
        }
        addListCommands();
        lists = new CommandLists(supported(), strict);
    }

    /** Executes one command, or refuses it; the order of the checks is the text's. */
    AdminResult execute(AdminExchange exchange) {
        AdminCommand command = exchange.command();
        Optional<GroupType> group = GroupType.ofNumber(command.groupType());
        Optional<AdminOpcode> opcode = AdminOpcode.ofNumber(command.opcode());
        if (group.isEmpty() || isAbsent(group.get(), opcode)) {
            return Refusal.INVALID_GROUP;
        }
        if (opcode.isEmpty() || !lists.isLegal(group.get(), opcode.get())) {
            return Refusal.INVALID_OPCODE;
        }
        Entry entry = table.get(opcode.get());
        if (!entry.addressee().isIn(group.get())) {
            return Refusal.INVALID_GROUP;
        }
        if (!hasMember(entry.addressee(), command.groupMemberId())) {
            return Refusal.INVALID_MEMBER;
        }
        return entry.execution().execute(command, exchange);
    }

    /** Reset of the owner device: lists, driver capabilities and objects are gone, and every member works. */
    void reset() {
        lists.reset();
        objects.reset();
        members.resumeAll();
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
        add(AdminOpcode.LIST_QUERY, Addressee.GROUP, (command, exchange) -> lists.query(group(command), exchange));
        add(AdminOpcode.LIST_USE, Addressee.GROUP, (command, exchange) -> lists.use(group(command), exchange));
    }

    private void addCapabilityCommands(Capabilities capabilities) {
        add(AdminOpcode.CAP_ID_LIST_QUERY, Addressee.OWNER, (command, exchange) -> capabilities.listIds(exchange));
        add(AdminOpcode.DEVICE_CAP_GET, Addressee.OWNER, (command, exchange) -> capabilities.get(exchange));
        add(AdminOpcode.DRIVER_CAP_SET, Addressee.OWNER, (command, exchange) -> capabilities.set(exchange));
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

    private void addLegacyCommands(LegacyCommands legacy) {
        addForMember(AdminOpcode.LEGACY_COMMON_CFG_WRITE, legacy::writeCommon);
        addForMember(AdminOpcode.LEGACY_COMMON_CFG_READ, legacy::readCommon);
        addForMember(AdminOpcode.LEGACY_DEV_CFG_WRITE, legacy::writeDevice);
        addForMember(AdminOpcode.LEGACY_DEV_CFG_READ, legacy::readDevice);
        addForMember(AdminOpcode.LEGACY_NOTIFY_INFO, legacy::notifyInfo);
    }

    private void add(AdminOpcode opcode, Addressee addressee, Execution execution) {
        table.put(opcode, new Entry(addressee, execution));
    }

    @FunctionalInterface
    private interface MemberExecution {
        AdminResult execute(long member, AdminExchange exchange);
    }

    private void addForMember(AdminOpcode opcode, MemberExecution execution) {
        add(opcode, Addressee.MEMBER, (command, exchange) -> execution.execute(command.groupMemberId(), exchange));
    }

    private Map<GroupType, Long> supported() {
        Map<GroupType, Long> supported = new EnumMap<>(GroupType.class);
        table.forEach((opcode, entry) -> {
            for (GroupType group : GroupType.values()) {
                if (entry.addressee().isIn(group)) {
                    supported.merge(group, CommandLists.bit(opcode), (all, bit) -> all | bit);
                }
            }
        });
        // Linux looks for the capability commands in the list of the SR-IOV group, and nowhere else.
        supported.merge(GroupType.SR_IOV, CommandLists.CAPABILITY_COMMANDS, (all, bits) -> all | bits);
        return supported;
    }

    private static GroupType group(AdminCommand command) {
        return GroupType.ofNumber(command.groupType()).orElseThrow();
    }
}
