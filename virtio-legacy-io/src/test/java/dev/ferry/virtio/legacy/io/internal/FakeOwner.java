// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.FunctionAccess;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * An owner device that keeps every command and register write as text and answers by a script. Its layouts are written
 * by hand from the virtio text and from the PCI specification.
 */
final class FakeOwner implements AdminQueue, FunctionAccess {

    static final int EXPRESS_CAP = 0x40;
    static final int MSIX_CAP = 0x80;
    static final String OK = "0000000000000000";

    final List<String> commands = Collections.synchronizedList(new ArrayList<>());
    final List<Integer> spaces = Collections.synchronizedList(new ArrayList<>());
    final List<String> writes = Collections.synchronizedList(new ArrayList<>());
    /** What an opcode answers, status first; OK without a result when nothing is said. */
    final Map<Integer, Supplier<CompletableFuture<String>>> answers = new HashMap<>();

    final ByteBuffer config = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    boolean gone;
    long bar2Size = 0x4000;
    long bar0Size;

    FakeOwner() {
        answer(0, OK + "ffff030000000000");
        answer(6, OK + "02020000000000000038000000000000" + "00".repeat(48));
        config.putShort(0x00, (short) 0x1AF4).putShort(0x02, (short) 0x1041).put(0x08, (byte) 1);
        config.put(0x0B, (byte) 0x02).putShort(0x2C, (short) 0x1AF4).putShort(0x2E, (short) 0x41);
        config.put(0x34, (byte) EXPRESS_CAP);
        config.put(EXPRESS_CAP, (byte) 0x10).put(EXPRESS_CAP + 1, (byte) MSIX_CAP);
        config.put(MSIX_CAP, (byte) 0x11);
    }

    void answer(int opcode, String hex) {
        answers.put(opcode, () -> CompletableFuture.completedFuture(hex));
    }

    void msix(boolean enabled) {
        config.putShort(MSIX_CAP + 2, (short) (enabled ? 0x8003 : 0x0003));
    }

    /** The last command without its header of 24 bytes, behind its opcode. */
    String last() {
        String command = commands.get(commands.size() - 1);
        return command.substring(0, 4) + " " + command.substring(48);
    }

    @Override
    public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
        byte[] command = FakeAdminQueue.join(readable);
        commands.add(HexFormat.of().formatHex(command));
        spaces.add(FakeAdminQueue.join(writable).length);
        var answer = answers.getOrDefault((int) command[0], () -> CompletableFuture.completedFuture(OK)).get();
        return answer.thenApply(hex -> FakeAdminQueue.put(writable, FakeAdminQueue.hex(hex)));
    }

    private void check(long member) throws DeviceException {
        if (gone || member != 3) {
            throw new DeviceException(Errno.ENODEV, "no member " + member);
        }
    }

    @Override
    public long readConfig(long member, int offset, int size) throws DeviceException {
        check(member);
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (long) (config.get(offset + i) & 0xFF) << 8 * i;
        }
        return value;
    }

    @Override
    public void writeConfig(long member, int offset, int size, long value) throws DeviceException {
        check(member);
        writes.add("config %x/%d=%x".formatted(offset, size, value));
        if (offset == 4) {
            config.putShort(4, (short) (value & 0x6)); // no I/O space, no BAR 0
        }
    }

    @Override
    public long barSize(long member, int bar) throws DeviceException {
        check(member);
        return bar == 2 ? bar2Size : bar == 0 ? bar0Size : 0;
    }

    @Override
    public void writeBar(long member, int bar, long offset, int size, long value) throws DeviceException {
        check(member);
        writes.add("bar%d %x/%d=%x".formatted(bar, offset, size, value));
    }
}
