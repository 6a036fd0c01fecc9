// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.internal.memory.PageTracker;
import dev.ferry.migration.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

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
    /** Writes of processors; each is noted after it was done, so that no harvest can take the note and miss it. */
    private final PageTracker writes =
            new PageTracker("the guest's processor", "the write log of the emulated processor", true);

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
        int length = from.remaining();
        slice(address, length).put(from);
        writes.written(address, length);
    }

    @Override
    public Optional<ByteBuffer> view(long address, int length) throws IOException {
        return Optional.of(slice(address, length).asReadOnlyBuffer());
    }

    /** Tells the pages that the guest's processor writes: 4 KiB, 64 KiB or 2 MiB, up to 256 ranges. */
    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        return Optional.of(writes);
    }

    /** Sets how recording waits for the guest's processor, which writes without a lock. */
    void processor(PageTracker.Handshake handshake) {
        writes.handshake(handshake);
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
        writes.written(address, Byte.BYTES);
    }

    int u16(long address) {
        return Short.toUnsignedInt(memory.getShort(at(address)));
    }

    void u16(long address, int value) {
        memory.putShort(at(address), (short) value);
        writes.written(address, Short.BYTES);
    }

    int u32(long address) {
        return memory.getInt(at(address));
    }

    void u32(long address, int value) {
        memory.putInt(at(address), value);
        writes.written(address, Integer.BYTES);
    }

    long u64(long address) {
        return memory.getLong(at(address));
    }

    void u64(long address, long value) {
        memory.putLong(at(address), value);
        writes.written(address, Long.BYTES);
    }

    void clear(long address, int bytes) {
        for (long each = address; each < address + bytes; each++) {
            u8(each, 0);
        }
    }

    void bytes(long address, byte[] value) {
        memory.put(at(address), value);
        writes.written(address, value.length);
    }

    private int at(long address) {
        return Math.toIntExact(address - base);
    }
}
