// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.migration.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The memory of one guest: one range, which devices reach at the same addresses (IOVA = guest-physical address).
 *
 * <p>Any thread may use it; what lies in it is ordered only by the barriers of driver and device, as on a machine.
 */
public final class GuestRam implements GuestMemory {

    /** Address of the first byte where none is named. */
    public static final long DEFAULT_BASE = 0x1000_0000L;
    /** Size in bytes where none is named: 16 MiB. */
    public static final int DEFAULT_BYTES = 16 << 20;

    private final long base;
    private final ByteBuffer memory;

    /**
     * A memory in a buffer.
     *
     * @param base guest-physical address of the first byte, 0 or more, a multiple of 4096
     * @param memory from position to limit, 1 byte or more; heap, direct or a mapped file; shared, not copied
     */
    public GuestRam(long base, ByteBuffer memory) {
        new IovaRange(base, memory.remaining());
        if (base % DriverQueue.PAGE_BYTES != 0) {
            throw new IllegalArgumentException("the memory of a guest begins at a page, not at 0x%x".formatted(base));
        }
        this.base = base;
        this.memory = memory.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A memory of {@link #DEFAULT_BYTES} at {@link #DEFAULT_BASE}, on the heap, all zeros. */
    public static GuestRam allocate() {
        return allocate(DEFAULT_BYTES);
    }

    /** A memory at {@link #DEFAULT_BASE}, on the heap, all zeros. */
    public static GuestRam allocate(int bytes) {
        return new GuestRam(DEFAULT_BASE, ByteBuffer.allocate(bytes));
    }

    /** Address of the first byte. */
    public long base() {
        return base;
    }

    /** Size in bytes. */
    public int size() {
        return memory.capacity();
    }

    @Override
    public List<IovaRange> ranges() {
        return List.of(new IovaRange(base, size()));
    }

    @Override
    public void read(long address, ByteBuffer into) throws IOException {
        into.put(slice(address, into.remaining()));
    }

    @Override
    public void write(long address, ByteBuffer from) throws IOException {
        slice(address, from.remaining()).put(from);
    }

    private ByteBuffer slice(long address, int length) throws IOException {
        if (address < base || address - base > size() - (long) length) {
            throw new IOException("the guest has no memory at 0x%x for %d bytes".formatted(address, length));
        }
        return memory.slice((int) (address - base), length);
    }

    /** Lets a device master all of it. */
    DmaSpace dma() {
        DmaSpace dma = new DmaSpace();
        dma.map(base, memory.duplicate(), DmaSpace.Access.READ_WRITE);
        return dma;
    }

    int u8(long address) {
        return Byte.toUnsignedInt(memory.get(at(address)));
    }

    void u8(long address, int value) {
        memory.put(at(address), (byte) value);
    }

    int u16(long address) {
        return Short.toUnsignedInt(memory.getShort(at(address)));
    }

    void u16(long address, int value) {
        memory.putShort(at(address), (short) value);
    }

    int u32(long address) {
        return memory.getInt(at(address));
    }

    void u32(long address, int value) {
        memory.putInt(at(address), value);
    }

    long u64(long address) {
        return memory.getLong(at(address));
    }

    void u64(long address, long value) {
        memory.putLong(at(address), value);
    }

    void clear(long address, int bytes) {
        for (long each = address; each < address + bytes; each++) {
            u8(each, 0);
        }
    }

    void bytes(long address, byte[] value) {
        memory.put(at(address), value);
    }

    private int at(long address) {
        return Math.toIntExact(address - base);
    }
}
