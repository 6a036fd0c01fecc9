// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.uapi;

/** Offsets and bits in the configuration space of a PCI function, little-endian, {@code linux/pci_regs.h}. */
public final class PciConfig {
    /** Vendor id and device id, 16 bits each. */
    public static final int VENDOR_DEVICE = 0x00;

    public static final int VENDOR_DEVICE_BYTES = 4;
    public static final int COMMAND = 0x04;
    public static final int STATUS = 0x06;
    /** In {@link #STATUS}: there is a list of capabilities. */
    public static final int STATUS_CAP_LIST = 1 << 4;
    /** Revision in the lowest byte, class code in the other three. */
    public static final int CLASS_REVISION = 0x08;

    public static final int CACHE_LINE_SIZE = 0x0C;
    public static final int LATENCY_TIMER = 0x0D;
    public static final int BAR_0 = 0x10;
    public static final int BARS = 6;
    public static final int ROM_ADDRESS = 0x30;
    /** Offset of the first capability; its lowest two bits mean nothing. */
    public static final int CAPABILITY_LIST = 0x34;

    public static final int INTERRUPT_LINE = 0x3C;
    /** Bytes of the part that every function has. */
    public static final int HEADER_BYTES = 64;
    /** Bytes of the part that has the capabilities; PCI Express has others, which are not listed here, behind it. */
    public static final int CONVENTIONAL_BYTES = 256;
    /** Bytes of the largest space, that of PCI Express. */
    public static final int MOST_BYTES = 4096;

    /** What every capability begins with. */
    public static final class Capability {
        public static final int ID = 0;
        /** Offset of the next one in the space, 0 for none; its lowest two bits mean nothing. */
        public static final int NEXT = 1;

        public static final int OFFSET_MASK = 0xFC;

        private Capability() {}
    }

    /** Message signaled interrupts; where the fields behind the address lie follows from {@link #FLAGS}. */
    public static final class Msi {
        public static final int ID = 0x05;
        public static final int FLAGS = 2;
        /** In {@link #FLAGS}: number of vectors that the function can have, as a power of 2. */
        public static final int FLAGS_QMASK = 0x0E;
        public static final int FLAGS_64BIT = 1 << 7;
        public static final int FLAGS_MASKBIT = 1 << 8;
        public static final int ADDRESS_LO = 4;
        public static final int ADDRESS_HI = 8;
        public static final int DATA_32 = 8;
        public static final int DATA_64 = 12;
        public static final int MASK_32 = 12;
        public static final int MASK_64 = 16;

        private Msi() {}
    }

    /** Interrupts by a table in a BAR. */
    public static final class Msix {
        public static final int ID = 0x11;
        public static final int FLAGS = 2;
        /** In {@link #FLAGS}: number of vectors less 1. */
        public static final int FLAGS_QSIZE = 0x07FF;

        /** BAR and offset of the table of vectors. */
        public static final int TABLE = 4;
        /** BAR and offset of the pending bits. */
        public static final int PBA = 8;

        private Msix() {}
    }

    /** PCI Express. */
    public static final class Exp {
        public static final int ID = 0x10;
        public static final int FLAGS = 2;
        /** In {@link #FLAGS}: version of the capability; {@link #DEVCTL2} is there from 2 on. */
        public static final int FLAGS_VERS = 0x0F;

        public static final int DEVCTL = 8;
        /** In {@link #DEVCTL}: resets the function when it is written; reads 0. */
        public static final int DEVCTL_BCR_FLR = 1 << 15;

        public static final int DEVCTL2 = 40;

        private Exp() {}
    }

    private PciConfig() {}
}
