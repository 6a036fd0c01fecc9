// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

/** Configuration space of one function: bytes, some bits of which can be written. Guarded by the function's lock. */
public final class ConfigSpace {

    private final ConfigLayout layout;
    private final byte[] bytes;

    /** Configuration space as after a reset. */
    public ConfigSpace(ConfigLayout layout) {
        this.layout = layout;
        this.bytes = new byte[layout.bytes()];
        reset();
    }

    /** Brings every register to its default. */
    public void reset() {
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = layout.defaultAt(i);
        }
    }

    /** Whether an access is naturally aligned, of a legal size and within the space. */
    public static boolean isAccess(int offset, int size) {
        return (size == 1 || size == 2 || size == 4)
                && offset >= 0
                && offset <= PciRegisters.CONFIG_BYTES - size
                && offset % size == 0;
    }

    /** Reads a little-endian number; behind the layout everything reads as zero, which means empty. */
    public long read(int offset, int size) {
        long value = 0;
        for (int i = 0; i < size && offset + i < bytes.length; i++) {
            value |= (long) Byte.toUnsignedInt(bytes[offset + i]) << i * Byte.SIZE;
        }
        return value;
    }

    /** Writes the writable bits of a little-endian number. */
    public void write(int offset, int size, long value) {
        for (int i = 0; i < size && offset + i < bytes.length; i++) {
            int mask = layout.writableAt(offset + i);
            int written = (int) (value >>> i * Byte.SIZE);
            bytes[offset + i] = (byte) (bytes[offset + i] & ~mask | written & mask);
        }
    }

    /** Whether all bits of a 16-bit mask are set in a register. */
    public boolean isSet(int offset, int mask) {
        return (read(offset, Short.BYTES) & mask) == mask;
    }

    /** Gives a 16-bit register a value, whichever bits are writable. */
    public void set(int offset, int value) {
        bytes[offset] = (byte) value;
        bytes[offset + 1] = (byte) (value >>> Byte.SIZE);
    }

    /** A copy of everything, for {@link #restore}. */
    public byte[] save() {
        return bytes.clone();
    }

    /** Brings back what {@link #save} gave. */
    public void restore(byte[] saved) {
        System.arraycopy(saved, 0, bytes, 0, bytes.length);
    }
}
