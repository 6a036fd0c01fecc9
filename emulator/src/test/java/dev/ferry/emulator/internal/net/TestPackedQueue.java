// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The driver side of one packed virtqueue, written by the layout of the text: descriptors {addr u64, len u32, id u16,
 * flags u16}, and event suppression structures {off_wrap u16, flags u16} of driver and device behind the ring.
 */
final class TestPackedQueue extends TestQueue {

    static final int AVAIL = 1 << 7;
    static final int USED = 1 << 15;

    /** The next descriptor to make available, and the counter of that; the same of used ones. */
    int availAt;

    boolean availWrap = true;
    int usedAt;
    private int lastAdded;
    boolean usedWrap = true;

    TestPackedQueue(TestDriver driver, int index, int size, long base) {
        super(driver, index, size, base, base + 16L * size, base + 16L * size + 4);
    }

    @Override
    TestQueue movedTo(TestDriver destination) {
        TestPackedQueue moved = new TestPackedQueue(destination, index, size, desc);
        moved.takeOver(this);
        moved.availAt = availAt;
        moved.availWrap = availWrap;
        moved.usedAt = usedAt;
        moved.usedWrap = usedWrap;
        return moved;
    }

    void packed(long table, int i, long address, int length, int id, int flags) {
        ByteBuffer memory = driver.memory;
        int at = driver.at(table) + 16 * i;
        memory.putLong(at, address);
        memory.putInt(at + 8, length);
        memory.putShort(at + 12, (short) id);
        memory.putShort(at + 14, (short) flags);
    }

    int flags(int i) {
        return Short.toUnsignedInt(driver.memory.getShort(driver.at(desc) + 16 * i + 14));
    }

    private void flags(int i, int flags) {
        driver.memory.putShort(driver.at(desc) + 16 * i + 14, (short) flags);
    }

    /** Flags that make a descriptor available now. */
    int availFlag() {
        return availWrap ? AVAIL : USED;
    }

    void advance() {
        availAt++;
        if (availAt == size) {
            availAt = 0;
            availWrap = !availWrap;
        }
    }

    @Override
    int add(Part... parts) {
        int id = free.remove(free.size() - 1);
        int first = availAt;
        int firstFlags = 0;
        for (int i = 0; i < parts.length; i++) {
            int flags = availFlag() | (parts[i].writable() ? WRITE : 0) | (i == parts.length - 1 ? 0 : NEXT);
            // The first descriptor shows the chain, so it gets its flags last.
            int before = i == 0 ? flags(availAt) : flags;
            packed(desc, availAt, parts[i].iova(), parts[i].length(), i == parts.length - 1 ? id : 0x7777, before);
            firstFlags = i == 0 ? flags : firstFlags;
            advance();
        }
        chainLength[id] = parts.length;
        show(first, firstFlags);
        return id;
    }

    @Override
    int addIndirect(long table, Part... parts) {
        for (int i = 0; i < parts.length; i++) {
            packed(table, i, parts[i].iova(), parts[i].length(), 0x7777, parts[i].writable() ? WRITE : 0);
        }
        int id = free.remove(free.size() - 1);
        int first = availAt;
        int flags = availFlag() | INDIRECT;
        packed(desc, first, table, 16 * parts.length, id, flags(first));
        advance();
        chainLength[id] = 1;
        show(first, flags);
        return id;
    }

    private void show(int first, int firstFlags) {
        lastAdded = first | ((firstFlags & AVAIL) != 0 ? 0x8000 : 0);
        VarHandle.releaseFence();
        flags(first, firstFlags);
        availIdx = availIdx + 1 & 0xFFFF;
    }

    @Override
    void availFlags(int flags) {
        driver.memory.putShort(driver.at(avail) + 2, (short) flags);
    }

    /** Asks for an interrupt when a descriptor was used: number and counter. */
    void driverEvent(int at, boolean wrap) {
        driver.memory.putShort(driver.at(avail), (short) (at | (wrap ? 0x8000 : 0)));
        driver.memory.putShort(driver.at(avail) + 2, (short) 2);
    }

    int deviceEventOffWrap() {
        return Short.toUnsignedInt(driver.memory.getShort(driver.at(used)));
    }

    @Override
    boolean isNotificationDue() {
        return deviceEventOffWrap() == lastAdded;
    }

    int deviceEventFlags() {
        return Short.toUnsignedInt(driver.memory.getShort(driver.at(used) + 2));
    }

    @Override
    List<Used> takeUsed() {
        List<Used> taken = new ArrayList<>();
        while (isUsed()) {
            VarHandle.acquireFence();
            int at = driver.at(desc) + 16 * usedAt;
            int id = Short.toUnsignedInt(driver.memory.getShort(at + 12));
            taken.add(new Used(id, driver.memory.getInt(at + 8)));
            usedAt += chainLength[id];
            if (usedAt >= size) {
                usedAt -= size;
                usedWrap = !usedWrap;
            }
            usedIdx = usedIdx + 1 & 0xFFFF;
            free.add(id);
        }
        return taken;
    }

    private boolean isUsed() {
        boolean availBit = (flags(usedAt) & AVAIL) != 0;
        boolean usedBit = (flags(usedAt) & USED) != 0;
        return availIdx != usedIdx && availBit == usedWrap && usedBit == usedWrap;
    }
}
