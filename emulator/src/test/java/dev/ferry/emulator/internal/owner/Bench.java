// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** An owner device on a test bench: commands and answers as hex, with fake members. */
final class Bench {

    /** Linux's mask: capability and device parts commands, without MODIFY and QUERY, without the list commands. */
    static final String USE_LINUX = "0100 0100 000000000000000000000000 0000000000000000" + "80e7030000000000";
    /** Everything that the SR-IOV group supports. */
    static final String USE_ALL = "0100 0100 000000000000000000000000 0000000000000000" + "ffff030000000000";
    /** DRIVER_CAP_SET to 255 and 255, as Linux sends it. */
    static final String SET_CAPABILITY =
            "0900 0000 000000000000000000000000 0000000000000000" + "0000 000000000000" + "ffff";

    static final String OK = "0000 0000 00000000";

    private static final byte UNTOUCHED = (byte) 0xa5;

    final FakeMember.Factory factory = new FakeMember.Factory();
    final OwnerDevice owner;

    private Bench(AdapterSettings settings) {
        owner = new OwnerDevice(settings, factory);
    }

    static AdapterSettings settings(int members, boolean strict) {
        return Adapters.parts("host1", "pf0", members, 1, 256, strict, 255, true);
    }

    /** As after reset. */
    static Bench reset(int members, boolean strict) {
        return new Bench(settings(members, strict));
    }

    /** With four members, all commands in use and the largest capability. */
    static Bench ready() {
        Bench bench = reset(4, false);
        bench.expectOk(USE_ALL);
        bench.expectOk(SET_CAPABILITY);
        return bench;
    }

    FakeMember member(int number) {
        return factory.made.get(number - 1);
    }

    /** The member that has a number now. */
    FakeMember current(int number) {
        return (FakeMember) owner.function(number);
    }

    /** The header of a command to a member of the SR-IOV group, then data. */
    static String toMember(int opcode, int member, String data) {
        return "%02x00 0100 000000000000000000000000 %02x%02x000000000000"
                        .formatted(opcode, member & 0xff, member >> 8)
                + data;
    }

    static String toSelf(int opcode, String data) {
        return "%02x00 0000 000000000000000000000000 0000000000000000".formatted(opcode) + data;
    }

    /** An object header: type 0 and an id. */
    static String object(int id) {
        return "0000 0000 %02x%02x0000".formatted(id & 0xff, id >> 8);
    }

    static String create(int member, int id, int operation) {
        return toMember(0x0a, member, object(id) + "0000000000000000" + "%02x00000000000000".formatted(operation));
    }

    static String destroy(int member, int id) {
        return toMember(0x0d, member, object(id));
    }

    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    static String plain(String hex) {
        return hex.replace(" ", "");
    }

    /** Executes a command with so much space; gives the bytes that were written, and sees that no others were. */
    static String execute(OwnerDevice owner, String readable, int space) {
        return hex(execute(owner, bytes(readable), space));
    }

    static byte[] execute(OwnerDevice owner, byte[] readable, int space) {
        byte[] written = new byte[space];
        Arrays.fill(written, UNTOUCHED);
        int used = submit(owner, List.of(ByteBuffer.wrap(readable)), List.of(ByteBuffer.wrap(written)));
        for (int at = wholeWords(used); at < space; at++) {
            if (written[at] != UNTOUCHED) {
                throw new AssertionError("byte " + at + " was written but " + used + " are reported as used");
            }
        }
        return Arrays.copyOf(written, used);
    }

    private static int submit(OwnerDevice owner, List<ByteBuffer> readable, List<ByteBuffer> writable) {
        CompletableFuture<Integer> used = owner.submit(
                        readable.toArray(ByteBuffer[]::new), writable.toArray(ByteBuffer[]::new))
                .toCompletableFuture();
        if (!used.isDone()) {
            throw new AssertionError("a command must be complete on return");
        }
        return used.join();
    }

    String execute(String readable, int space) {
        return execute(owner, readable, space);
    }

    byte[] execute(byte[] readable, int space) {
        return execute(owner, readable, space);
    }

    int submit(List<ByteBuffer> readable, List<ByteBuffer> writable) {
        return submit(owner, readable, writable);
    }

    /** Up to where a device initialises its answer: the end of the last 64-bit word. */
    static int wholeWords(int used) {
        return (used + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    }

    void expectOk(String readable) {
        String answer = execute(readable, 8);
        if (!answer.equals(plain(OK))) {
            throw new AssertionError("refused with " + answer + ": " + readable);
        }
    }
}
