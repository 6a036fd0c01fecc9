// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import dev.ferry.conformance.harness.Commands;
import dev.ferry.conformance.harness.Hex;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * An owner device that answers by the text and tolerates nothing: what a command is answered, by bytes. Its members
 * have parts of any bytes, which it takes and gives without a look. Not thread-safe.
 */
final class StrictOwner {

    private static final long LIST_COMMANDS = 3;
    private static final int PARTS_OPCODES_FIRST = 0x0a;
    private static final int HEADER_BYTES = 24;

    private record PartsObject(long member, int purpose) {}

    private final long members;
    private final int getLimit;
    private final int setLimit;
    private final Map<Integer, String> offered = new HashMap<>();
    private final Map<Integer, String> inUse = new HashMap<>();
    private final Map<Long, PartsObject> objects = new HashMap<>();
    private final Set<Long> stopped = new HashSet<>();
    private final Map<Long, String> parts = new HashMap<>();
    private int driverGetLimit;
    private int driverSetLimit;

    /** In the state after reset. */
    StrictOwner(long members, int getLimit, int setLimit) {
        this.members = members;
        this.getLimit = getLimit;
        this.setLimit = setLimit;
        offer(Commands.SR_IOV, Hex.le64(0x3FF83L));
        offer(Commands.SELF, Hex.le64(0x383L));
    }

    /** Offers other opcodes to a group: words as hex digits. */
    void offer(int group, String words) {
        offered.put(group, words);
        inUse.put(group, Hex.le64(LIST_COMMANDS));
    }

    /** The parts that a member has. */
    void parts(long member, String hex) {
        parts.put(member, Hex.plain(hex));
    }

    String parts(long member) {
        return parts.getOrDefault(member, "");
    }

    boolean isStopped(long member) {
        return stopped.contains(member);
    }

    int objects() {
        return objects.size();
    }

    /** The whole answer to a command, as hex digits. */
    String answer(byte[] readable, int space) {
        byte[] command = Arrays.copyOf(readable, Math.max(readable.length, HEADER_BYTES + 24));
        int opcode = (int) Hex.number(command, 0, 2);
        int group = (int) Hex.number(command, 2, 2);
        long member = Hex.number(command, 16, 8);
        if (!offered.containsKey(group)) {
            return Commands.INVALID_GROUP;
        }
        if (!isIn(inUse.get(group), opcode)) {
            return Commands.INVALID_OPCODE;
        }
        if (opcode >= PARTS_OPCODES_FIRST && (member < 1 || member > members)) {
            return Commands.INVALID_MEMBER;
        }
        return switch (opcode) {
            case 0x00 -> Commands.OK + offered.get(group);
            case 0x01 -> use(group, Hex.of(readable).substring(2 * HEADER_BYTES));
            case 0x07 -> Commands.OK + Hex.le64(1);
            case 0x08 -> Commands.OK + Hex.u8(getLimit) + Hex.u8(setLimit);
            case 0x09 -> setCapability(command[HEADER_BYTES + 8] & 0xFF, command[HEADER_BYTES + 9] & 0xFF);
            case 0x0a -> create(member, Hex.number(command, HEADER_BYTES + 4, 4), command[HEADER_BYTES + 16]);
            case 0x11 -> mode(member, command[HEADER_BYTES]);
            default -> withObject(opcode, member, command, readable, space);
        };
    }

    private static boolean isIn(String words, int opcode) {
        byte[] bytes = Hex.bytes(words);
        return opcode / 8 < bytes.length && (bytes[opcode / 8] >>> opcode % 8 & 1) != 0;
    }

    private String use(int group, String words) {
        for (int opcode = 0; opcode < words.length() * 4; opcode++) {
            if (isIn(words, opcode) && !isIn(offered.get(group), opcode)) {
                return Commands.INVALID_FIELD;
            }
        }
        inUse.put(group, words);
        return Commands.OK;
    }

    private String setCapability(int get, int set) {
        if (get > getLimit || set > setLimit) {
            return Commands.INVALID_FIELD;
        }
        if (!objects.isEmpty()) {
            return failure(Commands.EBUSY);
        }
        driverGetLimit = get;
        driverSetLimit = set;
        return Commands.OK;
    }

    private String create(long member, long id, int purpose) {
        if (id >= (purpose == Commands.GET ? driverGetLimit : driverSetLimit)) {
            return failure(Commands.ENOSPC);
        }
        if (objects.putIfAbsent(id, new PartsObject(member, purpose)) != null) {
            return failure(Commands.EEXIST);
        }
        return Commands.OK;
    }

    private String mode(long member, int flags) {
        if ((flags & 1) != 0) {
            stopped.add(member);
        } else {
            stopped.remove(member);
        }
        return Commands.OK;
    }

    private String withObject(int opcode, long member, byte[] command, byte[] readable, int space) {
        long id = Hex.number(command, HEADER_BYTES + 4, 4);
        PartsObject object = objects.get(id);
        if (object == null || object.member() != member) {
            return failure(Commands.ENXIO);
        }
        boolean writes = opcode == 0x10;
        if (opcode != 0x0d && (object.purpose() == Commands.SET) != writes) {
            return Commands.INVALID_FIELD;
        }
        int bytes = parts(member).length() / 2;
        return switch (opcode) {
            case 0x0d -> destroy(id);
            case 0x0e -> Commands.OK + Hex.le32(bytes) + Hex.zeros(4);
            case 0x0f -> space < 8 + bytes ? failure(Commands.ENOMEM) : Commands.OK + parts(member);
            case 0x10 -> load(member, Hex.of(readable).substring(2 * (HEADER_BYTES + 8)));
            default -> Commands.INVALID_OPCODE;
        };
    }

    private String destroy(long id) {
        objects.remove(id);
        return Commands.OK;
    }

    private String load(long member, String given) {
        if (!isStopped(member)) {
            return Commands.INVALID_COMMAND;
        }
        parts.put(member, given);
        return Commands.OK;
    }

    /** An answer of a status and the qualifier that says nothing more. */
    static String failure(int status) {
        return Hex.le16(status) + Hex.le16(1) + Hex.zeros(4);
    }
}
