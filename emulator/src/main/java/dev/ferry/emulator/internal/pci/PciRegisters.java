// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.pci;

/**
 * Offsets and bits of PCI configuration space that the emulated functions have, named as in Linux {@code
 * include/uapi/linux/pci_regs.h}.
 */
public final class PciRegisters {
    /** Bytes of configuration space of a PCI Express function. */
    public static final int CONFIG_BYTES = 4096;

    /** Bytes of configuration space without the extended one. */
    public static final int LEGACY_CONFIG_BYTES = 256;

    /** Vendor, u16. */
    public static final int VENDOR_ID = 0x00;
    /** Device, u16. */
    public static final int DEVICE_ID = 0x02;
    /** Command, u16. */
    public static final int COMMAND = 0x04;
    /** The BARs answer. */
    public static final int COMMAND_MEMORY = 0x0002;
    /** The function may read and write memory, and send MSI-X messages. */
    public static final int COMMAND_MASTER = 0x0004;
    /** Bits of the command register that keep what is written: memory, master, parity, SERR, INTx disable. */
    public static final int COMMAND_WRITABLE = COMMAND_MEMORY | COMMAND_MASTER | 0x0040 | 0x0100 | 0x0400;
    /** Status, u16. */
    public static final int STATUS = 0x06;
    /** There is a capability list. */
    public static final int STATUS_CAP_LIST = 0x0010;
    /** Revision, u8. */
    public static final int REVISION_ID = 0x08;
    /** Programming interface, subclass and class, u8 each. */
    public static final int CLASS_PROG = 0x09;
    /** First BAR; six of u32 follow one another. */
    public static final int BASE_ADDRESS_0 = 0x10;
    /** Flags of a BAR: memory, 64 bits wide. */
    public static final int BASE_ADDRESS_MEM_TYPE_64 = 0x04;
    /** Subsystem vendor, u16. */
    public static final int SUBSYSTEM_VENDOR_ID = 0x2C;
    /** Subsystem, u16. */
    public static final int SUBSYSTEM_ID = 0x2E;
    /** Offset of the first capability, u8. */
    public static final int CAPABILITY_LIST = 0x34;
    /** Scratch byte of the operating system. */
    public static final int INTERRUPT_LINE = 0x3C;

    /** Id of a vendor-specific capability. */
    public static final int CAP_ID_VNDR = 0x09;
    /** Id of the PCI Express capability. */
    public static final int CAP_ID_EXP = 0x10;
    /** Id of the MSI-X capability. */
    public static final int CAP_ID_MSIX = 0x11;
    /** In every capability: offset of the next one, u8; 0 = last. */
    public static final int CAP_NEXT = 1;

    /** PCI Express: capabilities register, u16. */
    public static final int EXP_FLAGS = 2;
    /** Version 2 of the capability, of an endpoint. */
    public static final int EXP_FLAGS_ENDPOINT_V2 = 0x0002;
    /** PCI Express: device capabilities, u32. */
    public static final int EXP_DEVCAP = 4;
    /** Role-based error reporting, which every function since PCI Express 1.1 has. */
    public static final int EXP_DEVCAP_RBER = 0x0000_8000;
    /** The function can do a function-level reset. */
    public static final int EXP_DEVCAP_FLR = 0x1000_0000;
    /** PCI Express: device control, u16. */
    public static final int EXP_DEVCTL = 8;
    /** Writing 1 resets the function; reads as 0. */
    public static final int EXP_DEVCTL_BCR_FLR = 0x8000;
    /** Device control after a reset: relaxed ordering, no snoop and a read request size of 512 bytes. */
    public static final int EXP_DEVCTL_DEFAULT = 0x2810;

    /** MSI-X: message control, u16. */
    public static final int MSIX_FLAGS = 2;
    /** All vectors are masked. */
    public static final int MSIX_FLAGS_MASKALL = 0x4000;
    /** MSI-X is used instead of INTx. */
    public static final int MSIX_FLAGS_ENABLE = 0x8000;
    /** MSI-X: offset of the table, with the BAR in the low three bits, u32. */
    public static final int MSIX_TABLE = 4;
    /** MSI-X: offset of the pending bits, with the BAR in the low three bits, u32. */
    public static final int MSIX_PBA = 8;

    /** Id of the extended capability of alternative routing-id interpretation. */
    public static final int EXT_CAP_ID_ARI = 0x0E;
    /** Bytes of it. */
    public static final int ARI_BYTES = 8;

    /** Id of the SR-IOV extended capability. */
    public static final int EXT_CAP_ID_SRIOV = 0x10;
    /** Bytes of it. */
    public static final int SRIOV_BYTES = 0x40;
    /** SR-IOV: control, u16. */
    public static final int SRIOV_CTRL = 0x08;
    /** VF Enable. */
    public static final int SRIOV_CTRL_VFE = 0x0001;
    /** VF Memory Space Enable. */
    public static final int SRIOV_CTRL_MSE = 0x0008;
    /** ARI Capable Hierarchy. */
    public static final int SRIOV_CTRL_ARI = 0x0010;
    /** SR-IOV: InitialVFs, u16. */
    public static final int SRIOV_INITIAL_VF = 0x0C;
    /** SR-IOV: TotalVFs, u16. */
    public static final int SRIOV_TOTAL_VF = 0x0E;
    /** SR-IOV: NumVFs, u16. */
    public static final int SRIOV_NUM_VF = 0x10;
    /** SR-IOV: First VF Offset, u16. */
    public static final int SRIOV_VF_OFFSET = 0x14;
    /** SR-IOV: VF Stride, u16. */
    public static final int SRIOV_VF_STRIDE = 0x16;
    /** SR-IOV: device id of the VFs, u16. */
    public static final int SRIOV_VF_DID = 0x1A;
    /** SR-IOV: supported page sizes, u32; bit n = 2^(n+12) bytes. */
    public static final int SRIOV_SUP_PGSIZE = 0x1C;
    /** SR-IOV: system page size, u32. */
    public static final int SRIOV_SYS_PGSIZE = 0x20;
    /** SR-IOV: first BAR of the VFs; six of u32 follow one another. */
    public static final int SRIOV_BAR = 0x24;

    private PciRegisters() {}

    /** What an access of 1, 2, 4 or 8 bytes reads where nothing answers. */
    public static long allOnes(int size) {
        return size == Long.BYTES ? -1L : (1L << size * Byte.SIZE) - 1;
    }
}
