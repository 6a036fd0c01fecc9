// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.uapi.PciConfig;
import dev.ferry.vfio.backend.internal.uapi.PciConfig.Capability;
import dev.ferry.vfio.backend.internal.uapi.PciConfig.Exp;
import dev.ferry.vfio.backend.internal.uapi.PciConfig.Msi;
import dev.ferry.vfio.backend.internal.uapi.PciConfig.Msix;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The registers of a PCI configuration space that a guest programs, as far as whoever has the device may write them;
 * and what of its capabilities two devices must have alike for one guest.
 *
 * <p>Left out is what is the host's, power management above all, and what does something when it is written: vital
 * product data, the resets of PCI Express and advanced features.
 */
final class GuestRegisters {
    private static final int BYTE = 1;
    private static final int WORD = 2;
    private static final int DWORD = 4;

    /**
     * One register.
     *
     * @param offset in the space
     * @param bytes 1, 2 or 4
     * @param never bits that are written as 0
     */
    record Register(int offset, int bytes, int never) {}

    /**
     * A register that nobody can write.
     *
     * @param offset in the space
     * @param value the bits of it that matter
     */
    private record Fixed(int offset, int value) {}

    private final byte[] space;
    private final String whose;
    private final List<Register> registers = new ArrayList<>();
    private final List<Fixed> fixed = new ArrayList<>();

    /**
     * Reads the list of capabilities of a space.
     *
     * @param space its first bytes, {@link PciConfig#HEADER_BYTES} or more
     * @param whose it is, for messages
     * @throws DeviceException EINVAL when the list of capabilities loops or leads out of the space
     */
    GuestRegisters(byte[] space, String whose) throws DeviceException {
        this.space = space;
        this.whose = whose;
        for (int bar = 0; bar < PciConfig.BARS; bar++) {
            add(PciConfig.BAR_0 + bar * DWORD, DWORD);
        }
        add(PciConfig.ROM_ADDRESS, DWORD);
        add(PciConfig.CACHE_LINE_SIZE, BYTE);
        add(PciConfig.LATENCY_TIMER, BYTE);
        add(PciConfig.INTERRUPT_LINE, BYTE);
        addCapabilities();
        add(PciConfig.COMMAND, WORD);
    }

    /** In the order in which they are to be written: nothing is enabled before its address is known. */
    List<Register> registers() {
        return List.copyOf(registers);
    }

    /** Whether a guest finds the same registers at the same places, and as many vectors. */
    boolean areLike(GuestRegisters other) {
        return registers.equals(other.registers) && fixed.equals(other.fixed);
    }

    /** Goes by each offset once at most, so that no list is endless. */
    private void addCapabilities() throws DeviceException {
        if ((value(PciConfig.STATUS, WORD) & PciConfig.STATUS_CAP_LIST) == 0) {
            return;
        }
        BitSet seen = new BitSet();
        int at = value(PciConfig.CAPABILITY_LIST, BYTE) & Capability.OFFSET_MASK;
        while (at != 0) {
            if (at < PciConfig.HEADER_BYTES || seen.get(at)) {
                throw malformed(at);
            }
            seen.set(at);
            int id = value(at + Capability.ID, BYTE);
            switch (id) {
                case Msi.ID -> addMsi(at);
                case Msix.ID -> addMsix(at);
                case Exp.ID -> addExpress(at);
                default -> {
                    // The host's, or nothing that a guest programs.
                }
            }
            at = value(at + Capability.NEXT, BYTE) & Capability.OFFSET_MASK;
        }
    }

    private void addMsi(int at) throws DeviceException {
        int flags = value(at + Msi.FLAGS, WORD);
        fixed.add(new Fixed(at + Msi.FLAGS, flags & Msi.FLAGS_QMASK));
        boolean wide = (flags & Msi.FLAGS_64BIT) != 0;
        add(at + Msi.ADDRESS_LO, DWORD);
        if (wide) {
            add(at + Msi.ADDRESS_HI, DWORD);
        }
        add(at + (wide ? Msi.DATA_64 : Msi.DATA_32), WORD);
        if ((flags & Msi.FLAGS_MASKBIT) != 0) {
            add(at + (wide ? Msi.MASK_64 : Msi.MASK_32), DWORD);
        }
        add(at + Msi.FLAGS, WORD);
    }

    private void addMsix(int at) throws DeviceException {
        fixed.add(new Fixed(at + Msix.FLAGS, value(at + Msix.FLAGS, WORD) & Msix.FLAGS_QSIZE));
        fixed.add(new Fixed(at + Msix.TABLE, value(at + Msix.TABLE, DWORD)));
        fixed.add(new Fixed(at + Msix.PBA, value(at + Msix.PBA, DWORD)));
        add(at + Msix.FLAGS, WORD);
    }

    private void addExpress(int at) throws DeviceException {
        add(at + Exp.DEVCTL, WORD, Exp.DEVCTL_BCR_FLR);
        if ((value(at + Exp.FLAGS, WORD) & Exp.FLAGS_VERS) > 1) {
            add(at + Exp.DEVCTL2, WORD, 0);
        }
    }

    private void add(int offset, int bytes) throws DeviceException {
        add(offset, bytes, 0);
    }

    private void add(int offset, int bytes, int never) throws DeviceException {
        value(offset, bytes);
        registers.add(new Register(offset, bytes, never));
    }

    /** A little-endian register of the space. */
    private int value(int offset, int bytes) throws DeviceException {
        if (offset + bytes > Math.min(space.length, PciConfig.CONVENTIONAL_BYTES)) {
            throw malformed(offset);
        }
        int value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << Byte.SIZE | Byte.toUnsignedInt(space[offset + i]);
        }
        return value;
    }

    private DeviceException malformed(int offset) {
        return new DeviceException(Errno.EINVAL, "the list of PCI capabilities of %s leads to 0x%02x: in a loop, %s"
                .formatted(whose, offset, "into the header or out of the configuration space"));
    }
}
