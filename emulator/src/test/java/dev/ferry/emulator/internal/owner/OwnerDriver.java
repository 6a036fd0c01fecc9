// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.PciFunction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Drives the function of an owner device as an operating system would, by registers, memory and interrupts. All offsets
 * are typed in from the specifications.
 */
final class OwnerDriver implements InterruptListener {

    static final long BASE = 0x1000_0000L;
    static final int FEATURES = 1 << 29 | 1 << 28;
    static final long VERSION_1 = 1L << 32;
    static final long SR_IOV = 1L << 37;
    static final long ADMIN_VQ = 1L << 41;
    static final int QUEUE_SIZE = 256;
    static final int ADMIN_VECTOR = 3;
    static final int CONFIG_VECTOR = 0;

    private static final byte UNTOUCHED = (byte) 0xa5;
    private static final int MEMORY = 0x20_0000;
    private static final int DESC = 0x0000;
    private static final int AVAIL = 0x2000;
    private static final int USED = 0x3000;
    private static final int INDIRECT = 0x4000;
    private static final int BUFFERS = 0x10000;

    /** A command for the virtqueue: both parts in pieces of at most so many bytes, in an indirect table or not. */
    record Request(byte[] readable, int space, int piece, boolean indirect) {
        static Request of(String readable, int space) {
            return new Request(Bench.bytes(readable), space, 1 << 20, false);
        }
    }

    final PciFunction function;
    final ByteBuffer memory = ByteBuffer.allocateDirect(MEMORY).order(ByteOrder.LITTLE_ENDIAN);
    final List<Integer> interrupts = Collections.synchronizedList(new ArrayList<>());
    private final int sriov;
    private final int commonBar;
    private final long commonAt;
    private final int deviceBar;
    private final long deviceAt;
    private int notifyBar;
    private long notifyAt;
    int adminQueue;
    private int index;
    private int free;
    private int table;

    OwnerDriver(PciFunction function) {
        this.function = function;
        DmaSpace dma = new DmaSpace();
        dma.map(BASE, memory.duplicate(), DmaSpace.Access.READ_WRITE);
        function.attach(dma, this);
        commonBar = (int) config(virtioCap(1) + 4, 1);
        commonAt = config(virtioCap(1) + 8, 4);
        deviceBar = (int) config(virtioCap(4) + 4, 1);
        deviceAt = config(virtioCap(4) + 8, 4);
        sriov = extended(0x10);
        function.writeConfig(0x04, 2, 0x0006);
    }

    long config(int offset, int size) {
        return function.readConfig(offset, size);
    }

    int capability(int id) {
        for (int at = (int) config(0x34, 1); at != 0; at = (int) config(at + 1, 1)) {
            if (config(at, 1) == id) {
                return at;
            }
        }
        throw new AssertionError("no capability " + id);
    }

    private int virtioCap(int cfgType) {
        for (int at = (int) config(0x34, 1); at != 0; at = (int) config(at + 1, 1)) {
            if (config(at, 1) == 0x09 && config(at + 3, 1) == cfgType) {
                return at;
            }
        }
        throw new AssertionError("no virtio capability " + cfgType);
    }

    /** Offset of an extended capability. */
    int extended(int id) {
        for (int at = 0x100; at != 0; at = (int) config(at, 4) >>> 20) {
            if ((config(at, 4) & 0xFFFF) == id) {
                return at;
            }
        }
        throw new AssertionError("no extended capability " + id);
    }

    int sriov() {
        return sriov;
    }

    /** Writes NumVFs, then sets VF Enable and VF Memory Space Enable. */
    void enableVfs(int count) {
        function.writeConfig(sriov() + 0x10, 2, count);
        function.writeConfig(sriov() + 0x08, 2, 0x0009);
    }

    void disableVfs() {
        function.writeConfig(sriov() + 0x08, 2, 0);
    }

    void functionLevelReset() {
        function.writeConfig(capability(0x10) + 8, 2, 0x8000);
    }

    long read(int offset, int size) {
        return function.readBar(commonBar, commonAt + offset, size);
    }

    void write(int offset, int size, long value) {
        function.writeBar(commonBar, commonAt + offset, size, value);
    }

    long readDevice(int offset, int size) {
        return function.readBar(deviceBar, deviceAt + offset, size);
    }

    long offeredFeatures() {
        write(0, 4, 0);
        long low = read(4, 4);
        write(0, 4, 1);
        return read(4, 4) << 32 | low;
    }

    void negotiate(long features) {
        function.writeConfig(0x04, 2, 0x0006);
        write(20, 1, 0);
        write(20, 1, 1);
        write(20, 1, 3);
        write(8, 4, 0);
        write(12, 4, features & 0xFFFF_FFFFL);
        write(8, 4, 1);
        write(12, 4, features >>> 32);
        write(20, 1, 11);
        if (read(20, 1) != 11) {
            throw new AssertionError("the features 0x%x were refused".formatted(features));
        }
    }

    /** Takes the device into use with its administration virtqueue. */
    OwnerDriver start() {
        negotiate(VERSION_1 | SR_IOV | ADMIN_VQ | 1L << 28);
        enableMsix();
        write(16, 2, CONFIG_VECTOR);
        for (int at = 0; at < BUFFERS; at++) {
            memory.put(at, (byte) 0);
        }
        index = 0;
        adminQueue = (int) read(60, 2);
        write(22, 2, adminQueue);
        write(24, 2, QUEUE_SIZE);
        write(26, 2, ADMIN_VECTOR);
        write64(32, BASE + DESC);
        write64(40, BASE + AVAIL);
        write64(48, BASE + USED);
        notifyBar = (int) config(virtioCap(2) + 4, 1);
        notifyAt = config(virtioCap(2) + 8, 4) + read(30, 2) * config(virtioCap(2) + 16, 4);
        write(28, 2, 1);
        write(20, 1, 15);
        return this;
    }

    private void write64(int offset, long value) {
        write(offset, 4, value & 0xFFFF_FFFFL);
        write(offset + 4, 4, value >>> 32);
    }

    private void enableMsix() {
        int cap = capability(0x11);
        function.writeConfig(cap + 2, 2, 0x8000);
        long table = config(cap + 4, 4);
        for (int vector = 0; vector <= (config(cap + 2, 2) & 0x7FF); vector++) {
            long entry = (table & ~7L) + 16L * vector;
            function.writeBar((int) table & 7, entry, 4, 0xFEE0_0000L);
            function.writeBar((int) table & 7, entry + 12, 4, 0);
        }
    }

    /** Performs one command; gives what was written. */
    String execute(String readable, int space) {
        return Bench.hex(execute(List.of(Request.of(readable, space))).get(0));
    }

    /** Makes commands available, notifies once, and gives the answers in the order in which they were used. */
    List<byte[]> execute(List<Request> requests) {
        int[] heads = new int[requests.size()];
        int[] answers = new int[requests.size()];
        place(requests, heads, answers);
        kick();
        if (Short.toUnsignedInt(memory.getShort(USED + 2)) != (index & 0xFFFF)) {
            throw new AssertionError("used up to %d, not %d".formatted(memory.getShort(USED + 2), index));
        }
        List<byte[]> taken = new ArrayList<>();
        for (int i = 0; i < heads.length; i++) {
            int at = USED + 4 + 8 * ((index - heads.length + i) % QUEUE_SIZE);
            if (memory.getInt(at) != heads[i]) {
                throw new AssertionError("chain %d was used instead of %d".formatted(memory.getInt(at), heads[i]));
            }
            taken.add(answer(answers[i], requests.get(i).space(), memory.getInt(at + 4)));
        }
        return taken;
    }

    void place(List<Request> requests, int[] heads, int[] answers) {
        free = 0;
        table = INDIRECT;
        int at = BUFFERS;
        for (int i = 0; i < heads.length; i++) {
            Request request = requests.get(i);
            memory.put(at, request.readable());
            answers[i] = at + request.readable().length + 7 & ~7;
            for (int space = 0; space < request.space(); space++) {
                memory.put(answers[i] + space, UNTOUCHED);
            }
            heads[i] = free;
            chain(request, at, answers[i]);
            memory.putShort(AVAIL + 4 + 2 * (index % QUEUE_SIZE), (short) heads[i]);
            index++;
            at = answers[i] + request.space() + 7 & ~7;
        }
        memory.putShort(AVAIL + 2, (short) index);
    }

    void kick() {
        function.writeBar(notifyBar, notifyAt, 2, adminQueue);
    }

    int usedIndex() {
        return Short.toUnsignedInt(memory.getShort(USED + 2));
    }

    private void chain(Request request, int readable, int writable) {
        int descriptors = request.indirect() ? table : DESC + 16 * free;
        int count = 0;
        int first = request.indirect() ? 0 : free;
        for (int done = 0; done < request.readable().length; done += request.piece(), count++) {
            int length = Math.min(request.piece(), request.readable().length - done);
            descriptor(descriptors + 16 * count, readable + done, length, 1, first + count + 1);
        }
        for (int done = 0; done < request.space(); done += request.piece(), count++) {
            int length = Math.min(request.piece(), request.space() - done);
            descriptor(descriptors + 16 * count, writable + done, length, 3, first + count + 1);
        }
        if (count == 0) {
            descriptor(descriptors, readable, 0, 1, 0);
            count = 1;
        }
        int last = descriptors + 16 * (count - 1) + 12;
        memory.putShort(last, (short) (memory.getShort(last) & ~1));
        if (request.indirect()) {
            descriptor(DESC + 16 * free, table, 16 * count, 4, 0);
            table += 16 * count;
        }
        free += request.indirect() ? 1 : count;
    }

    void descriptor(int at, int address, int length, int flags, int next) {
        memory.putLong(at, BASE + address)
                .putInt(at + 8, length)
                .putShort(at + 12, (short) flags)
                .putShort(at + 14, (short) next);
    }

    private byte[] answer(int at, int space, int used) {
        byte[] written = new byte[used];
        memory.get(at, written);
        for (int behind = Bench.wholeWords(used); behind < space; behind++) {
            if (memory.get(at + behind) != UNTOUCHED) {
                throw new AssertionError("byte " + behind + " was written but " + used + " are reported as used");
            }
        }
        return written;
    }

    @Override
    public void messageSignalled(int vector, long address, int data) {
        interrupts.add(vector);
    }
}
