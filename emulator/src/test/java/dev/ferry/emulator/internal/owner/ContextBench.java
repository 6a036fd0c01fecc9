// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.control.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;

/** An owner device that speaks the command set of the device context; layouts are written by hand as hex. */
final class ContextBench {

    static final String OK = "0000 0000 00000000";
    static final String INVALID_COMMAND = "1600 0100 00000000";
    static final String INVALID_OPCODE = "1600 0200 00000000";
    static final String INVALID_FIELD = "1600 0300 00000000";
    static final String INVALID_GROUP = "1600 0400 00000000";
    static final String INVALID_MEMBER = "1600 0500 00000000";
    static final String BUSY_TRY_AGAIN = "1000 0700 00000000";
    static final String BUSY = "1000 0100 00000000";
    static final String NO_SPACE = "1c00 0600 00000000";

    /** LIST_USE with everything: list commands in word 0, 0x0107 to 0x0111 in word 4. */
    static final String USE_ALL = "0100 0100 000000000000000000000000 0000000000000000"
            + "0300000000000000 0000000000000000 0000000000000000 0000000000000000 80ff030000000000";

    static final int MODE_GET = 0x0107;
    static final int MODE_SET = 0x0108;
    static final int SIZE_GET = 0x0109;
    static final int READ = 0x010a;
    static final int WRITE = 0x010b;
    static final int FIELDS_QUERY = 0x010c;
    static final int DISCARD = 0x010d;
    static final int RECORD_CAP_QUERY = 0x010e;
    static final int RECORD_START = 0x010f;
    static final int RECORD_STOP = 0x0110;
    static final int RECORD_READ = 0x0111;

    static final int ACTIVE = 0;
    static final int STOP = 1;
    static final int FREEZE = 2;

    final OwnerDevice owner;

    private ContextBench(AdapterSettings settings) {
        owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
    }

    /** As after reset. */
    static ContextBench reset(CommandSet set) {
        return new ContextBench(Adapters.of(2, 1, 256, set, true));
    }

    /** With all commands in use. */
    static ContextBench ready() {
        return ready(1, 256);
    }

    static ContextBench ready(int pairs, int queueSize) {
        ContextBench bench = new ContextBench(Adapters.of(2, pairs, queueSize, CommandSet.CONTEXT, true));
        bench.expectOk(USE_ALL);
        return bench;
    }

    /** Member 1, with memory accesses and bus mastering on. */
    PciFunction function() {
        PciFunction function = owner.function(1);
        function.writeConfig(4, 2, 0x6);
        return function;
    }

    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    static String plain(String hex) {
        return hex.replace(" ", "");
    }

    /** The header of a command to member 1. */
    static String toMember(int opcode, String data) {
        return "%02x%02x 0100 000000000000000000000000 0100000000000000".formatted(opcode & 0xff, opcode >> 8) + data;
    }

    /** Executes a command; gives what was written. */
    String execute(String readable, int space) {
        return HexFormat.of().formatHex(execute(bytes(readable), space));
    }

    byte[] execute(byte[] readable, int space) {
        return Bench.execute(owner, readable, space);
    }

    String member(int opcode, String data, int resultSpace) {
        return execute(toMember(opcode, data), 8 + resultSpace);
    }

    void expectOk(String readable) {
        String answer = execute(readable, 8);
        if (!answer.equals(plain(OK))) {
            throw new AssertionError("refused with " + answer + ": " + readable);
        }
    }

    String setMode(int mode) {
        return member(MODE_SET, "%02x00000000000000".formatted(mode), 0);
    }

    void mode(int mode) {
        expectOk(toMember(MODE_SET, "%02x00000000000000".formatted(mode)));
    }

    String presentMode() {
        return member(MODE_GET, "", 8);
    }

    String write(byte[] context) {
        return member(WRITE, HexFormat.of().formatHex(context), 0);
    }

    /** A whole context by READ in one piece. */
    byte[] read() {
        byte[] answer = execute(bytes(toMember(READ, "")), 1 << 20);
        byte[] end = execute(bytes(toMember(READ, "")), 16);
        if (!HexFormat.of().formatHex(end).equals(plain(OK))) {
            throw new AssertionError("the context did not end");
        }
        return Arrays.copyOfRange(answer, 8, answer.length);
    }

    /** One field: type, flags, length, value, padding. */
    static String field(int type, int flags, String value) {
        byte[] bytes = bytes(value);
        return "%02x%02x%02x00".formatted(type & 0xff, type >> 8, flags)
                + u32(bytes.length)
                + HexFormat.of().formatHex(Arrays.copyOf(bytes, (bytes.length + 7) / 8 * 8));
    }

    static String u32(int value) {
        return HexFormat.of()
                .formatHex(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    /** A whole context: START, fields, END with the sum of what is before it. */
    static byte[] context(String fields) {
        String body = field(0x0001, 0, "56544331 0100 0100") + fields;
        CRC32 sum = new CRC32();
        sum.update(bytes(body));
        return bytes(body + field(0xffff, 0, u32((int) sum.getValue()) + "00000000"));
    }
}
