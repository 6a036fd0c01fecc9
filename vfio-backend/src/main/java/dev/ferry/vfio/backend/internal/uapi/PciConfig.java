// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/** Offsets in the configuration space of a PCI function, {@code linux/pci_regs.h}. */
public final class PciConfig {
    /** Vendor id and device id, 16 bits each. */
    public static final int VENDOR_DEVICE = 0x00;
    public static final int VENDOR_DEVICE_BYTES = 4;

    public static final int COMMAND = 0x04;
    /** Revision in the lowest byte, class code in the other three. */
    public static final int CLASS_REVISION = 0x08;

    public static final int CACHE_LINE_SIZE = 0x0C;
    public static final int LATENCY_TIMER = 0x0D;
    public static final int BAR_0 = 0x10;
    public static final int BARS = 6;
    public static final int INTERRUPT_LINE = 0x3C;
    /** Bytes of the part that every function has. */
    public static final int HEADER_BYTES = 64;
    /** Bytes of the largest space, that of PCI Express. */
    public static final int MOST_BYTES = 4096;

    private PciConfig() {}
}
