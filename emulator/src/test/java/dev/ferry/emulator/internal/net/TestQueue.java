// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The driver side of one split virtqueue, {@link TestPackedQueue} of a packed one, written by the layout of the text
 * and sharing nothing with the device.
 */
class TestQueue {

    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;

    /** A buffer of guest memory. */
    record Part(long iova, int length, boolean writable) {
        static Part in(long iova, int length) {
            return new Part(iova, length, true);
        }

        static Part out(long iova, int length) {
            return new Part(iova, length, false);
        }
    }

    /** One used element. */
    record Used(int id, int length) {}

    final int index;
    final int size;
    final long desc;
    final long avail;
    final long used;
    final TestDriver driver;
    final ArrayList<Integer> free = new ArrayList<>();
    final int[] chainLength;
    int availIdx;
    int usedIdx;

    TestQueue(TestDriver driver, int index, int size, long base) {
        this(driver, index, size, base, base + 16L * size, base + 16L * size + 6 + 2L * size + 3 & ~3L);
    }

    /** The same queue with the same progress, of a driver whose memory was copied. */
    TestQueue(TestDriver driver, TestQueue from) {
        this(driver, from.index, from.size, from.desc);
        takeOver(from);
    }

    /** A queue with the rings at other places. */
    TestQueue(TestDriver driver, int index, int size, long desc, long avail, long used) {
        this.driver = driver;
        this.index = index;
        this.size = size;
        this.desc = desc;
        this.avail = avail;
        this.used = used;
        this.chainLength = new int[size];
        for (int i = size - 1; i >= 0; i--) {
            free.add(i);
        }
    }

    final void takeOver(TestQueue from) {
        free.clear();
        free.addAll(from.free);
        System.arraycopy(from.chainLength, 0, chainLength, 0, size);
        availIdx = from.availIdx;
        usedIdx = from.usedIdx;
    }

    void descriptor(long table, int i, long address, int length, int flags, int next) {
        ByteBuffer memory = driver.memory;
        int at = driver.at(table) + 16 * i;
        memory.putLong(at, address);
        memory.putInt(at + 8, length);
        memory.putShort(at + 12, (short) flags);
        memory.putShort(at + 14, (short) next);
    }

    /** Makes a chain available, without a notification; returns its head. */
    int add(Part... parts) {
        int[] taken = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            taken[i] = free.remove(free.size() - 1);
        }
        for (int i = 0; i < parts.length; i++) {
            boolean last = i == parts.length - 1;
            int flags = (parts[i].writable() ? WRITE : 0) | (last ? 0 : NEXT);
            descriptor(desc, taken[i], parts[i].iova(), parts[i].length(), flags, last ? 0 : taken[i + 1]);
        }
        chainLength[taken[0]] = parts.length;
        offer(taken[0]);
        return taken[0];
    }

    /** Makes a chain available that lies in an indirect table. */
    int addIndirect(long table, Part... parts) {
        for (int i = 0; i < parts.length; i++) {
            boolean last = i == parts.length - 1;
            int flags = (parts[i].writable() ? WRITE : 0) | (last ? 0 : NEXT);
            descriptor(table, i, parts[i].iova(), parts[i].length(), flags, last ? 0 : i + 1);
        }
        int head = free.remove(free.size() - 1);
        descriptor(desc, head, table, 16 * parts.length, INDIRECT, 0);
        chainLength[head] = 1;
        offer(head);
        return head;
    }

    void offer(int head) {
        driver.memory.putShort(driver.at(avail) + 4 + 2 * (availIdx % size), (short) head);
        availIdx = availIdx + 1 & 0xFFFF;
        VarHandle.releaseFence();
        driver.memory.putShort(driver.at(avail) + 2, (short) availIdx);
    }

    int deviceUsedIdx() {
        return Short.toUnsignedInt(driver.memory.getShort(driver.at(used) + 2));
    }

    void availFlags(int flags) {
        driver.memory.putShort(driver.at(avail), (short) flags);
    }

    void usedEvent(int event) {
        driver.memory.putShort(driver.at(avail) + 4 + 2 * size, (short) event);
    }

    int availEvent() {
        return Short.toUnsignedInt(driver.memory.getShort(driver.at(used) + 4 + 8 * size));
    }

    /** Whether the device asked to be notified of the chain that was added last, with EVENT_IDX. */
    boolean isNotificationDue() {
        return availEvent() == (availIdx - 1 & 0xFFFF);
    }

    /** Takes what the device used since the last time. Frees chains in the order of their heads. */
    List<Used> takeUsed() {
        List<Used> taken = new ArrayList<>();
        while (usedIdx != deviceUsedIdx()) {
            VarHandle.acquireFence();
            int at = driver.at(used) + 4 + 8 * (usedIdx % size);
            int id = driver.memory.getInt(at);
            taken.add(new Used(id, driver.memory.getInt(at + 4)));
            usedIdx = usedIdx + 1 & 0xFFFF;
            release(id);
        }
        return taken;
    }

    private void release(int head) {
        int i = head;
        for (int n = 0; n < chainLength[head]; n++) {
            free.add(i);
            i = Short.toUnsignedInt(driver.memory.getShort(driver.at(desc) + 16 * i + 14));
        }
    }

    /** The same queue with the same progress, of a driver whose memory was copied. */
    TestQueue movedTo(TestDriver destination) {
        return new TestQueue(destination, this);
    }

    void kick() {
        driver.notify(index);
    }
}
