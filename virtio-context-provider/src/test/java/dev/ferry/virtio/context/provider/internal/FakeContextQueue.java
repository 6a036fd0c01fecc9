// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import static dev.ferry.virtio.driver.fake.FakeAdminQueue.hex;

import dev.ferry.device.DeviceException;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** An owner device that keeps every command as hex digits, and answers by a script; layouts are written by hand. */
final class FakeContextQueue implements AdminQueue, FunctionReset {

    static final String OK = "0000 0000 00000000";

    /** Header to member 3 behind the opcode. */
    static final String TO_MEMBER = "0100 000000000000000000000000 0300000000000000";

    private static final int RECORDS_READ = 0x0111;

    /** LIST_QUERY: list commands, and 0x0107 to 0x0111. */
    String list = "0300000000000000 0000000000000000 0000000000000000 0000000000000000 80ff030000000000";

    /** The context, as a device gives it: START and END alone, without a sum that anybody would look at here. */
    byte[] context = hex("0100 00 00 08000000 5654433101000100 ffff 00 00 08000000 1122334400000000");

    final List<String> commands = new ArrayList<>();
    final Map<Integer, Deque<String>> answers = new HashMap<>();
    int hangs = -1;

    /** Done before a report of write records is answered. */
    Runnable onReport = () -> {};

    int resets;
    private int cursor;

    /** The next answer to an opcode. */
    void answer(int opcode, String hex) {
        answers.computeIfAbsent(opcode, any -> new ArrayDeque<>()).add(hex);
    }

    static String command(int opcode, String data) {
        return HexFormat.of()
                .formatHex(hex("%02x%02x".formatted(opcode & 0xff, opcode >> 8) + TO_MEMBER + data));
    }

    @Override
    public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        byte[] command = FakeAdminQueue.join(readable);
        commands.add(HexFormat.of().formatHex(command));
        int opcode = command[0] & 0xff | (command[1] & 0xff) << 8;
        if (opcode == hangs) {
            return new CompletableFuture<>();
        }
        if (opcode == RECORDS_READ) {
            onReport.run();
        }
        Deque<String> scripted = answers.getOrDefault(opcode, new ArrayDeque<>());
        byte[] answer = scripted.isEmpty()
                ? perform(opcode, FakeAdminQueue.join(writable).length) : hex(scripted.poll());
        return CompletableFuture.completedFuture(FakeAdminQueue.put(writable, answer));
    }

    private byte[] perform(int opcode, int space) {
        return switch (opcode) {
            case 0 -> hex(OK + list);
            case 0x0109 -> hex(OK + "4000000000000000");
            case 0x010a -> read(space);
            case 0x010e -> hex(OK + "0010000000000000 08000000 00000000 0001000000000000 01000000 00000000");
            case 0x010f -> hex(OK + "0010000000000000");
            default -> hex(OK);
        };
    }

    private byte[] read(int space) {
        int count = Math.min(context.length - cursor, space - 8);
        byte[] answer = new byte[8 + count];
        answer[4] = (byte) count;
        System.arraycopy(context, cursor, answer, 8, count);
        cursor = count == 0 ? 0 : cursor + count;
        return answer;
    }

    @Override
    public void resetFunction(long groupMemberId) throws DeviceException {
        resets++;
        commands.add("reset");
    }
}
