// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.vfio.internal;

import dev.ferry.stream.StreamInspection.Part;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * What is told of a PCI configuration space: what a device is known by, and what of its header is restored;
 * little-endian registers of {@code linux/pci_regs.h}.
 */
enum ConfigRegister {
    VENDOR_ID(0x00, 2),
    DEVICE_ID(0x02, 2),
    COMMAND(0x04, 2),
    CLASS_REVISION(0x08, 4),
    CACHE_LINE_SIZE(0x0C, 1),
    LATENCY_TIMER(0x0D, 1),
    BASE_ADDRESS_0(0x10, 4),
    BASE_ADDRESS_1(0x14, 4),
    BASE_ADDRESS_2(0x18, 4),
    BASE_ADDRESS_3(0x1C, 4),
    BASE_ADDRESS_4(0x20, 4),
    BASE_ADDRESS_5(0x24, 4),
    ROM_ADDRESS(0x30, 4),
    INTERRUPT_LINE(0x3C, 1);

    /** Bytes of the part that every function has. */
    static final int HEADER_BYTES = 64;
    /** Bytes of the largest space, that of PCI Express. */
    static final int MOST_BYTES = 4096;

    private final int offset;
    private final int bytes;

    ConfigRegister(int offset, int bytes) {
        this.offset = offset;
        this.bytes = bytes;
    }

    /** Whether a space that was read so far has this register. */
    boolean isIn(int count) {
        return offset + bytes <= count;
    }

    /** The register as a part of a stream in which its space begins at a position. */
    Part part(ByteBuffer space, long begin) {
        byte[] value = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            value[bytes - 1 - i] = space.get(offset + i);
        }
        return new Part(begin + offset, offset, name(), 0, 0, bytes, "0x" + HexFormat.of().formatHex(value));
    }
}
