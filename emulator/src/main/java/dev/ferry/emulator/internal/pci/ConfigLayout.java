// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What configuration space holds after a reset, and which of its bits can be written. Built once, then only read.
 *
 * <p>Covers the first 256 bytes; the extended space behind is empty.
 */
public final class ConfigLayout {

    /** Bytes with content. */
    static final int BYTES = 256;

    private final ByteBuffer defaults = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer writable = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int lastCapability = -1;

    /** A register of one byte. */
    public ConfigLayout u8(int offset, int value, int writableBits) {
        defaults.put(offset, (byte) value);
        writable.put(offset, (byte) writableBits);
        return this;
    }

    /** A register of two bytes. */
    public ConfigLayout u16(int offset, int value, int writableBits) {
        defaults.putShort(offset, (short) value);
        writable.putShort(offset, (short) writableBits);
        return this;
    }

    /** A register of four bytes. */
    public ConfigLayout u32(int offset, int value, int writableBits) {
        defaults.putInt(offset, value);
        writable.putInt(offset, writableBits);
        return this;
    }

    /**
     * A memory BAR of 64 bits, which takes two registers; its size is found by writing all ones.
     *
     * @param bar 0, 2 or 4
     * @param size a power of two, 16 to 2^30
     */
    public ConfigLayout memoryBar64(int bar, int size) {
        int offset = PciRegisters.BASE_ADDRESS_0 + bar * Integer.BYTES;
        u32(offset, PciRegisters.BASE_ADDRESS_MEM_TYPE_64, -size);
        return u32(offset + Integer.BYTES, 0, -1);
    }

    /** Chains a capability behind those before it; its other bytes are for the caller to fill. */
    public ConfigLayout capability(int offset, int id) {
        if (lastCapability < 0) {
            u8(PciRegisters.CAPABILITY_LIST, offset, 0);
            u16(PciRegisters.STATUS, PciRegisters.STATUS_CAP_LIST, 0);
        } else {
            u8(lastCapability + PciRegisters.CAP_NEXT, offset, 0);
        }
        lastCapability = offset;
        return u8(offset, id, 0);
    }

    byte defaultAt(int offset) {
        return defaults.get(offset);
    }

    byte writableAt(int offset) {
        return writable.get(offset);
    }
}
