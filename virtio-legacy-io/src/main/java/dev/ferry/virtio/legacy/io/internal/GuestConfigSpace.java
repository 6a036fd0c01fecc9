// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.virtio.FunctionAccess;

/**
 * Configuration space of a member as a legacy guest sees it: the function's own, but with the ids of a transitional
 * network device, an I/O BAR and the I/O bit of the command register. Guarded by the lock of the {@link
 * MemberLegacyIo}.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Interfaces: A Note
 *     on PCI Device Discovery"</a>
 */
final class GuestConfigSpace {

    private static final int VENDOR_REDHAT = 0x1AF4;
    private static final int DEVICE_NET = 0x1041;
    private static final int TRANSITIONAL_DEVICE_NET = 0x1000;
    private static final int TRANSITIONAL_REVISION = 0;
    private static final int SUBSYSTEM_NET = 1;

    private final FunctionAccess functions;
    private final int member;
    private int msixCap;
    private int expressCap;
    private int command;
    private int baseAddress;

    GuestConfigSpace(FunctionAccess functions, int member) {
        this.functions = functions;
        this.member = member;
    }

    /**
     * Looks at the function.
     *
     * @throws DeviceException EOPNOTSUPP for one that is no virtio network device without a legacy interface
     */
    void open() throws DeviceException {
        long vendor = functions.readConfig(member, PciHeader.VENDOR_ID, Short.BYTES);
        long device = functions.readConfig(member, PciHeader.DEVICE_ID, Short.BYTES);
        if (vendor != VENDOR_REDHAT || device != DEVICE_NET) {
            throw new DeviceException(
                    Errno.EOPNOTSUPP,
                    "member %d is %04x:%04x and no virtio network device".formatted(member, vendor, device));
        }
        if (functions.barSize(member, 0) != 0) {
            throw new DeviceException(Errno.EOPNOTSUPP, "member " + member + " has a BAR 0 of its own");
        }
        PciHeader.Reader<DeviceException> reader = (offset, size) -> functions.readConfig(member, offset, size);
        msixCap = PciHeader.capability(PciHeader.CAP_ID_MSIX, reader);
        expressCap = PciHeader.capability(PciHeader.CAP_ID_EXP, reader);
    }

    /** Whether the guest has enabled the I/O BAR. */
    boolean isIoEnabled() {
        return (command & PciHeader.COMMAND_IO) != 0;
    }

    /** Whether the memory BARs of the function answer. */
    boolean isMemoryEnabled() throws DeviceException {
        return (functions.readConfig(member, PciHeader.COMMAND, Short.BYTES) & PciHeader.COMMAND_MEMORY) != 0;
    }

    /** Whether the function's MSI-X is enabled, and so the vectors are in BAR 0. */
    boolean isMsixEnabled() throws DeviceException {
        return msixCap != 0
                && (functions.readConfig(member, msixCap + PciHeader.MSIX_FLAGS, Short.BYTES)
                                & PciHeader.MSIX_FLAGS_ENABLE)
                        != 0;
    }

    /** Reads as {@link LegacyIo#readConfig}. */
    long read(int offset, int size) throws DeviceException {
        check(offset, size);
        Window window = new Window(offset, size, functions.readConfig(member, offset, size));
        window.show(PciHeader.DEVICE_ID, Short.BYTES, TRANSITIONAL_DEVICE_NET);
        window.show(PciHeader.REVISION_ID, 1, TRANSITIONAL_REVISION);
        window.show(PciHeader.SUBSYSTEM_VENDOR_ID, Short.BYTES, VENDOR_REDHAT);
        window.show(PciHeader.SUBSYSTEM_ID, Short.BYTES, SUBSYSTEM_NET);
        int address = baseAddress & -LegacyIo.BAR0_BYTES | PciHeader.BASE_ADDRESS_SPACE_IO;
        window.show(PciHeader.BASE_ADDRESS_0, Integer.BYTES, Integer.toUnsignedLong(address));
        window.set(PciHeader.COMMAND, command & PciHeader.COMMAND_IO);
        return window.value;
    }

    /** Writes as {@link LegacyIo#writeConfig}. */
    void write(int offset, int size, long value) throws DeviceException {
        check(offset, size);
        functions.writeConfig(member, offset, size, value);
        Window window = new Window(offset, size, value);
        if (isFunctionLevelReset(window)) {
            command = 0;
            baseAddress = 0;
            return;
        }
        command = (int) window.merge(PciHeader.COMMAND, Short.BYTES, command);
        baseAddress = (int) window.merge(PciHeader.BASE_ADDRESS_0, Integer.BYTES, baseAddress);
    }

    private boolean isFunctionLevelReset(Window window) {
        return expressCap != 0
                && (window.merge(expressCap + PciHeader.EXP_DEVCTL, Short.BYTES, 0) & PciHeader.EXP_DEVCTL_BCR_FLR)
                        != 0;
    }

    private static void check(int offset, int size) throws DeviceException {
        boolean legal = (size == 1 || size == Short.BYTES || size == Integer.BYTES)
                && offset >= 0
                && offset <= PciHeader.CONFIG_BYTES - size
                && offset % size == 0;
        if (!legal) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "configuration space has no access of %d bytes at offset 0x%x".formatted(size, offset));
        }
    }

    /** The bytes of one access, as a number. */
    private static final class Window {
        private final int offset;
        private final int size;
        private long value;

        Window(int offset, int size, long value) {
            this.offset = offset;
            this.size = size;
            this.value = value;
        }

        /** Replaces what the access has of a register. */
        void show(int register, int bytes, long content) {
            for (int i = 0; i < bytes; i++) {
                int at = register + i - offset;
                if (at >= 0 && at < size) {
                    long mask = 0xFFL << at * Byte.SIZE;
                    value = value & ~mask | (content >>> i * Byte.SIZE << at * Byte.SIZE) & mask;
                }
            }
        }

        /** Sets bits of the first byte of a register, where the access has it. */
        void set(int register, long bits) {
            int at = register - offset;
            if (at >= 0 && at < size) {
                value |= bits << at * Byte.SIZE;
            }
        }

        /** A register with the bytes that the access has of it replaced. */
        long merge(int register, int bytes, long before) {
            Window merged = new Window(register, bytes, before);
            merged.show(offset, size, value);
            return merged.value;
        }
    }
}
