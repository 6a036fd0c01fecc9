// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.io.IOException;
import java.util.OptionalInt;

/**
 * Configuration space of a PCI function, as the system software of a guest uses it. Not thread-safe.
 *
 * @see <a href="https://github.com/torvalds/linux/blob/master/include/uapi/linux/pci_regs.h">Linux, pci_regs.h</a>
 */
final class PciConfig {

    /** Number of BARs. */
    static final int BARS = 6;

    /** PCI_COMMAND. */
    static final int COMMAND = 0x04;
    /** PCI_COMMAND_MEMORY: the BARs answer. */
    static final int COMMAND_MEMORY = 0x2;
    /** PCI_COMMAND_MASTER: the function may use the bus. */
    static final int COMMAND_MASTER = 0x4;
    /** PCI_BASE_ADDRESS_0. */
    static final int BASE_ADDRESS_0 = 0x10;

    private static final int VENDOR_ID = 0x00;
    private static final int DEVICE_ID = 0x02;
    private static final int STATUS = 0x06;
    private static final int CAPABILITY_LIST = 0x34;

    private static final int VENDOR_VIRTIO = 0x1AF4;
    private static final int DEVICE_NET = 0x1041;
    private static final int STATUS_CAP_LIST = 0x10;
    private static final int COMMAND_INTX_DISABLE = 0x400;

    private static final int BAR_IO = 0x1;
    private static final int BAR_TYPE_MASK = 0x6;
    private static final int BAR_TYPE_64 = 0x4;
    private static final int BAR_FLAGS = 0xF;
    private static final long ALL_ONES = 0xFFFF_FFFFL;
    private static final long FIRST_BAR_ADDRESS = 0xE000_0000L;

    private static final int CAP_NEXT = 1;
    private static final int CAP_POINTER_MASK = 0xFC;
    private static final int MAX_CAPABILITIES = 48;

    private final PciFunction function;

    PciConfig(PciFunction function) {
        this.function = function;
    }

    /** Refuses everything that is not a virtio-net device of virtio 1.0 or later. */
    void checkVirtioNet() throws IOException {
        int vendor = read(VENDOR_ID, Short.BYTES);
        int device = read(DEVICE_ID, Short.BYTES);
        if (vendor != VENDOR_VIRTIO || device != DEVICE_NET) {
            throw new IOException("%s is not a virtio-net device: its ids are %04x:%04x"
                    .formatted(function.id(), vendor, device));
        }
    }

    /** Whether a function answers; one that was pulled out reads as all ones. */
    boolean isPresent() {
        return read(VENDOR_ID, Short.BYTES) == VENDOR_VIRTIO;
    }

    int read(int offset, int size) {
        return (int) function.readConfig(offset, size);
    }

    void write(int offset, int size, long value) {
        function.writeConfig(offset, size, value);
    }

    /**
     * Sizes the BARs and gives them addresses. The BARs of a VF lie in the owner's SR-IOV capability and read as zero
     * here; they are left alone.
     */
    void placeBars() {
        long next = FIRST_BAR_ADDRESS;
        for (int bar = 0; bar < BARS; bar++) {
            int register = BASE_ADDRESS_0 + bar * Integer.BYTES;
            write(register, Integer.BYTES, ALL_ONES);
            int sized = read(register, Integer.BYTES);
            if (sized == 0 || sized == -1 || (sized & BAR_IO) != 0) {
                continue;
            }
            long size = -Integer.toUnsignedLong(sized & ~BAR_FLAGS) & ALL_ONES;
            next = (next + size - 1) / size * size;
            write(register, Integer.BYTES, next);
            if ((sized & BAR_TYPE_MASK) == BAR_TYPE_64) {
                bar++;
                write(register + Integer.BYTES, Integer.BYTES, 0);
            }
            next += size;
        }
    }

    /** Lets the function answer in its BARs and master the bus; no INTx. */
    void enable() {
        write(COMMAND, Short.BYTES, read(COMMAND, Short.BYTES) | COMMAND_MEMORY | COMMAND_MASTER
                | COMMAND_INTX_DISABLE);
    }

    /** Lets the function answer in its BARs, but takes the bus from it. */
    void quiesce() {
        write(COMMAND, Short.BYTES, read(COMMAND, Short.BYTES) & ~COMMAND_MASTER | COMMAND_MEMORY);
    }

    /** Takes the BARs and the bus from the function. */
    void disable() {
        write(COMMAND, Short.BYTES, read(COMMAND, Short.BYTES) & ~(COMMAND_MEMORY | COMMAND_MASTER));
    }

    /** Offset of the first capability with an id. */
    OptionalInt capability(int id) {
        return capability(id, 0);
    }

    /** Offset of the next capability with an id, after the one at an offset; 0 to begin. */
    OptionalInt capability(int id, int after) {
        if ((read(STATUS, Short.BYTES) & STATUS_CAP_LIST) == 0) {
            return OptionalInt.empty();
        }
        int offset = read(after == 0 ? CAPABILITY_LIST : after + CAP_NEXT, 1) & CAP_POINTER_MASK;
        for (int seen = 0; offset != 0 && seen < MAX_CAPABILITIES; seen++) {
            if (read(offset, 1) == id) {
                return OptionalInt.of(offset);
            }
            offset = read(offset + CAP_NEXT, 1) & CAP_POINTER_MASK;
        }
        return OptionalInt.empty();
    }
}
