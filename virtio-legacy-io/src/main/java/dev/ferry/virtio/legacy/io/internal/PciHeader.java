// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

/** Offsets and bits of PCI configuration space, named as in Linux {@code include/uapi/linux/pci_regs.h}. */
final class PciHeader {
    /** Bytes of configuration space. */
    static final int CONFIG_BYTES = 4096;
    /** Vendor, u16. */
    static final int VENDOR_ID = 0x00;
    /** Device, u16. */
    static final int DEVICE_ID = 0x02;
    /** Command, u16. */
    static final int COMMAND = 0x04;
    /** I/O BARs answer. */
    static final int COMMAND_IO = 0x1;
    /** Memory BARs answer. */
    static final int COMMAND_MEMORY = 0x2;
    /** Revision, u8. */
    static final int REVISION_ID = 0x08;
    /** First BAR, u32. */
    static final int BASE_ADDRESS_0 = 0x10;
    /** The BAR is in I/O space. */
    static final int BASE_ADDRESS_SPACE_IO = 0x1;
    /** Subsystem vendor, u16. */
    static final int SUBSYSTEM_VENDOR_ID = 0x2C;
    /** Subsystem, u16. */
    static final int SUBSYSTEM_ID = 0x2E;
    /** Offset of the first capability, u8. */
    static final int CAPABILITY_LIST = 0x34;
    /** In a capability: offset of the next one, u8; 0 = last. */
    static final int CAP_NEXT = 1;
    /** Id of the PCI Express capability. */
    static final int CAP_ID_EXP = 0x10;
    /** Id of the MSI-X capability. */
    static final int CAP_ID_MSIX = 0x11;
    /** PCI Express: device control, u16. */
    static final int EXP_DEVCTL = 8;
    /** Writing 1 resets the function. */
    static final int EXP_DEVCTL_BCR_FLR = 0x8000;
    /** MSI-X: message control, u16. */
    static final int MSIX_FLAGS = 2;
    /** MSI-X is enabled. */
    static final int MSIX_FLAGS_ENABLE = 0x8000;

    private static final int MOST_CAPABILITIES = 48;
    private static final int CAPABILITY_ALIGNMENT_MASK = 0xFC;

    private PciHeader() {}

    /** Reads configuration space. */
    interface Reader<E extends Exception> {
        long read(int offset, int size) throws E;
    }

    /** Offset of a capability; 0 for one that is not there. A list that runs in a circle ends. */
    static <E extends Exception> int capability(int id, Reader<E> config) throws E {
        int at = (int) config.read(CAPABILITY_LIST, 1) & CAPABILITY_ALIGNMENT_MASK;
        for (int i = 0; i < MOST_CAPABILITIES && at != 0; i++) {
            if (config.read(at, 1) == id) {
                return at;
            }
            at = (int) config.read(at + CAP_NEXT, 1) & CAPABILITY_ALIGNMENT_MASK;
        }
        return 0;
    }
}
