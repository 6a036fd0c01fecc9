// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The MSI-X table and pending bits of one function. Guarded by the function's lock.
 *
 * <table>
 *   <caption>Table entry, little-endian, 16 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>8</td><td>message address</td></tr>
 *   <tr><td>8</td><td>4</td><td>message data</td></tr>
 *   <tr><td>12</td><td>4</td><td>vector control: bit 0 = masked</td></tr>
 * </table>
 *
 * <p>Names and layout: PCI Express base specification, "MSI-X Capability and Table Structure".
 */
public final class MsixTable {

    /** Bytes of an entry. */
    public static final int ENTRY_BYTES = 16;

    private static final int DATA_OFFSET = 8;
    private static final int VECTOR_CONTROL_OFFSET = 12;
    private static final int VECTOR_CONTROL_MASKED = 1;

    private final int vectors;
    private final ByteBuffer entries;
    private final BitSet pending = new BitSet();

    /** A table as after a reset: every vector masked, none pending. */
    public MsixTable(int vectors) {
        this.vectors = vectors;
        this.entries = ByteBuffer.allocate(vectors * ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        reset();
    }

    /** Masks every vector and forgets what is programmed and pending. */
    public void reset() {
        pending.clear();
        for (int vector = 0; vector < vectors; vector++) {
            entries.putLong(vector * ENTRY_BYTES, 0)
                    .putInt(vector * ENTRY_BYTES + DATA_OFFSET, 0)
                    .putInt(vector * ENTRY_BYTES + VECTOR_CONTROL_OFFSET, VECTOR_CONTROL_MASKED);
        }
    }

    /** Reads within the table: 4 or 8 bytes, aligned, as the specification demands of software. */
    public long readTable(long offset, int size) {
        if (!isEntryAccess(offset, size)) {
            return PciRegisters.allOnes(size);
        }
        return size == Long.BYTES
                ? entries.getLong((int) offset)
                : Integer.toUnsignedLong(entries.getInt((int) offset));
    }

    /** Writes within the table; other accesses than {@link #readTable} knows are ignored. */
    public void writeTable(long offset, int size, long value) {
        if (!isEntryAccess(offset, size)) {
            return;
        }
        if (size == Long.BYTES) {
            entries.putLong((int) offset, value);
        } else {
            entries.putInt((int) offset, (int) value);
        }
    }

    private boolean isEntryAccess(long offset, int size) {
        return (size == Integer.BYTES || size == Long.BYTES)
                && offset % size == 0
                && offset >= 0
                && offset <= entries.capacity() - size;
    }

    /** Reads the pending bits: 4 or 8 bytes, aligned. */
    public long readPending(long offset, int size) {
        long bytes = (vectors + Long.SIZE - 1L) / Long.SIZE * Long.BYTES;
        if (size != Integer.BYTES && size != Long.BYTES || offset % size != 0 || offset < 0 || offset > bytes - size) {
            return PciRegisters.allOnes(size);
        }
        long value = 0;
        int first = (int) offset * Byte.SIZE;
        for (int i = pending.nextSetBit(first); i >= 0 && i < first + size * Byte.SIZE; i = pending.nextSetBit(i + 1)) {
            value |= 1L << i - first;
        }
        return value;
    }

    /** Makes a vector pending; one that is not in the table, such as VIRTIO_MSI_NO_VECTOR, goes nowhere. */
    public void signal(int vector) {
        if (vector < vectors) {
            pending.set(vector);
        }
    }

    /** Takes the messages of all vectors that are pending and not masked; they are pending no longer. */
    public List<MsixMessage> takeDue() {
        if (pending.isEmpty()) {
            return List.of();
        }
        List<MsixMessage> due = new ArrayList<>();
        for (int vector = pending.nextSetBit(0); vector >= 0; vector = pending.nextSetBit(vector + 1)) {
            int entry = vector * ENTRY_BYTES;
            if ((entries.getInt(entry + VECTOR_CONTROL_OFFSET) & VECTOR_CONTROL_MASKED) == 0) {
                pending.clear(vector);
                due.add(new MsixMessage(vector, entries.getLong(entry), entries.getInt(entry + DATA_OFFSET)));
            }
        }
        return due;
    }

    /** A copy of the table, for {@link #restore}. */
    public byte[] save() {
        return entries.array().clone();
    }

    /** Brings back what {@link #save} gave; nothing is pending. */
    public void restore(byte[] saved) {
        pending.clear();
        entries.put(0, saved);
    }
}
