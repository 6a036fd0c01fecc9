// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import java.nio.ByteBuffer;

/**
 * The driver's side of one split virtqueue, for one buffer at a time per entry, by the layout of the text: descriptors
 * of 16 bytes; flags le16, idx le16, ring of le16 of the driver; flags le16, idx le16, ring of id le32 and len le32 of
 * the device.
 */
public final class SplitQueue {

    private static final int WRITE = 2;
    private static final int NEXT = 1;
    private static final int DESCRIPTOR_BYTES = 16;

    private final ByteBuffer memory;
    private final long base;
    private final int size;
    final long desc;
    final long driver;
    final long device;
    private int descriptors;
    private int offered;

    /** A queue at an address of the guest, the device's part at the next multiple of an alignment. */
    SplitQueue(ByteBuffer memory, long base, long address, int size, int alignment) {
        this.memory = memory;
        this.base = base;
        this.size = size;
        this.desc = address;
        this.driver = address + (long) DESCRIPTOR_BYTES * size;
        this.device = driver + 6 + 2L * size + alignment - 1 & -alignment;
    }

    /** Forgets everything, as a driver does that has reset the device. */
    void clear() {
        for (int at = at(desc); at < at(device) + 4 + 8 * size; at++) {
            memory.put(at, (byte) 0);
        }
    }

    private int at(long address) {
        return Math.toIntExact(address - base);
    }

    /** Makes one buffer available: for the device to write, or to read. */
    public void offer(long address, int length, boolean writable) {
        int head = descriptor(address, length, writable ? WRITE : 0, 0);
        offer(head);
    }

    /** Makes a chain of a buffer to read and one to write available. */
    public void offer(long readable, int readableLength, long writable, int writableLength) {
        int head = descriptor(readable, readableLength, NEXT, (descriptors + 1) % size);
        descriptor(writable, writableLength, WRITE, 0);
        offer(head);
    }

    private int descriptor(long address, int length, int flags, int next) {
        // Whoever posts waits until what lies there was given back.
        int index = descriptors++ % size;
        int at = at(desc) + DESCRIPTOR_BYTES * index;
        memory.putLong(at, address).putInt(at + 8, length).putShort(at + 12, (short) flags);
        memory.putShort(at + 14, (short) next);
        return index;
    }

    private void offer(int head) {
        memory.putShort(at(driver) + 4 + 2 * (offered % size), (short) head);
        offered++;
        memory.putShort(at(driver) + 2, (short) offered);
    }

    /** How many buffers were made available. */
    public int offered() {
        return offered;
    }

    /** Head of the chain that was made available as the n-th. */
    public int offeredId(int n) {
        return Short.toUnsignedInt(memory.getShort(at(driver) + 4 + 2 * (n % size)));
    }

    /** How many buffers the device has given back. */
    public int used() {
        return Short.toUnsignedInt(memory.getShort(at(device) + 2));
    }

    /** Head of the chain that was given back as the n-th. */
    public int usedId(int n) {
        return memory.getInt(at(device) + 4 + 8 * (n % size));
    }

    /** How many bytes the device says to have written to the n-th buffer that it gave back. */
    public int usedLength(int n) {
        return memory.getInt(at(device) + 8 + 8 * (n % size));
    }
}
