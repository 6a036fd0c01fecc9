// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What configuration space holds after a reset, and which of its bits can be written. Built once, then only read.
 *
 * <p>Covers the bytes it was made for; the space behind them is empty.
 */
public final class ConfigLayout {

    private static final int EXTENDED_VERSION_1 = 1 << 16;
    private static final int EXTENDED_NEXT_SHIFT = 20;

    private final ByteBuffer defaults;
    private final ByteBuffer writable;
    private int lastCapability = -1;
    private int lastExtended = -1;

    /**
     * Empty space.
     *
     * @param bytes with content: {@link PciRegisters#LEGACY_CONFIG_BYTES}, or more for extended capabilities
     */
    public ConfigLayout(int bytes) {
        defaults = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        writable = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

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
        return memoryBar64(PciRegisters.BASE_ADDRESS_0, bar, size);
    }

    /** The same in another block of six BARs, such as that of the VFs. */
    public ConfigLayout memoryBar64(int block, int bar, int size) {
        int offset = block + bar * Integer.BYTES;
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

    /** Chains an extended capability of version 1 behind those before it; the first one must be at 0x100. */
    public ConfigLayout extendedCapability(int offset, int id) {
        if (lastExtended >= 0) {
            u32(lastExtended, defaults.getInt(lastExtended) | offset << EXTENDED_NEXT_SHIFT, 0);
        }
        lastExtended = offset;
        return u32(offset, id | EXTENDED_VERSION_1, 0);
    }

    int bytes() {
        return defaults.capacity();
    }

    byte defaultAt(int offset) {
        return defaults.get(offset);
    }

    byte writableAt(int offset) {
        return writable.get(offset);
    }
}
