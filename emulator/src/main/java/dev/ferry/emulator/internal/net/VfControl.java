// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.pci.ConfigLayout;
import dev.ferry.emulator.internal.pci.ConfigSpace;
import dev.ferry.emulator.internal.pci.PciRegisters;

/**
 * The SR-IOV extended capability of an owner device: how many VFs there are, and whether. Guarded by the function's
 * lock.
 *
 * <p>NumVFs can be written while VF Enable is clear, up to TotalVFs; other writes of it change nothing, where the
 * specification leaves the result open. VFs come and go with VF Enable, before the write returns.
 *
 * <p>Names and layout: PCI Express base specification, "SR-IOV Extended Capability", and Linux {@code
 * include/uapi/linux/pci_regs.h}.
 */
final class VfControl {

    /** Offset of the capability: the first one has to be here. */
    static final int CAP = 0x100;

    private static final int ARI_CAP = CAP + PciRegisters.SRIOV_BYTES;
    /** Bytes of configuration space with both capabilities. */
    static final int CONFIG_BYTES = ARI_CAP + PciRegisters.ARI_BYTES;

    private static final int CTRL = CAP + PciRegisters.SRIOV_CTRL;
    private static final int NUM_VF = CAP + PciRegisters.SRIOV_NUM_VF;
    private static final int SYS_PGSIZE = CAP + PciRegisters.SRIOV_SYS_PGSIZE;
    private static final int VF_BARS = CAP + PciRegisters.SRIOV_BAR;
    private static final int CTRL_WRITABLE =
            PciRegisters.SRIOV_CTRL_VFE | PciRegisters.SRIOV_CTRL_MSE | PciRegisters.SRIOV_CTRL_ARI;

    /** VF n is n routing ids behind its owner. */
    private static final int VF_OFFSET = 1;
    private static final int VF_STRIDE = 1;
    /** Those that every device has to support: 4, 8, 64 and 256 KiB, 1 and 4 MiB. */
    private static final int PAGE_SIZES = 0x553;
    private static final int PAGE_SIZE_4K = 0x1;
    private static final int PAGE_SIZE_SHIFT = 12;
    private static final int[] BARS = {FunctionLayout.VIRTIO_BAR, FunctionLayout.MSIX_BAR};
    private static final long BAR_FLAGS = 0xF;

    private final ConfigSpace space;
    private final OwnerSide owner;

    VfControl(ConfigSpace space, OwnerSide owner) {
        this.space = space;
        this.owner = owner;
    }

    /** Adds the capability, and the one of alternative routing ids that goes with it, to a layout. */
    static void layOut(ConfigLayout layout, int vfDevice) {
        layout.extendedCapability(CAP, PciRegisters.EXT_CAP_ID_SRIOV)
                .u16(CTRL, 0, CTRL_WRITABLE)
                .u16(CAP + PciRegisters.SRIOV_INITIAL_VF, FunctionConfig.TOTAL_VFS, 0)
                .u16(CAP + PciRegisters.SRIOV_TOTAL_VF, FunctionConfig.TOTAL_VFS, 0)
                .u16(NUM_VF, 0, -1)
                .u16(CAP + PciRegisters.SRIOV_VF_OFFSET, VF_OFFSET, 0)
                .u16(CAP + PciRegisters.SRIOV_VF_STRIDE, VF_STRIDE, 0)
                .u16(CAP + PciRegisters.SRIOV_VF_DID, vfDevice, 0)
                .u32(CAP + PciRegisters.SRIOV_SUP_PGSIZE, PAGE_SIZES, 0)
                .u32(SYS_PGSIZE, PAGE_SIZE_4K, PAGE_SIZES)
                .memoryBar64(VF_BARS, FunctionLayout.VIRTIO_BAR, FunctionLayout.VIRTIO_BAR_BYTES)
                .memoryBar64(VF_BARS, FunctionLayout.MSIX_BAR, FunctionLayout.MSIX_BAR_BYTES)
                .extendedCapability(ARI_CAP, PciRegisters.EXT_CAP_ID_ARI);
    }

    /** Writes configuration space, wherever it is. */
    void write(int offset, int size, long value) {
        boolean before = isEnabled();
        int countBefore = count();
        int pageSizeBefore = (int) space.read(SYS_PGSIZE, Integer.BYTES);
        space.write(offset, size, value);
        if (before || count() > FunctionConfig.TOTAL_VFS) {
            space.set(NUM_VF, countBefore);
        }
        if (before || Long.bitCount(space.read(SYS_PGSIZE, Integer.BYTES)) != 1) {
            space.set(SYS_PGSIZE, pageSizeBefore);
        }
        alignBars();
        if (before != isEnabled()) {
            apply();
        }
    }

    /** Each VF's part of a BAR begins on a page of the system, which shows in the size that a driver finds. */
    private void alignBars() {
        long pageBytes = space.read(SYS_PGSIZE, Integer.BYTES) << PAGE_SIZE_SHIFT;
        for (int bar : BARS) {
            int at = VF_BARS + bar * Integer.BYTES;
            long low = space.read(at, Integer.BYTES);
            int aligned = (int) (low & -pageBytes | low & BAR_FLAGS);
            space.set(at, aligned);
            space.set(at + Short.BYTES, aligned >>> Short.SIZE);
        }
    }

    /** Configuration space was reset, which clears VF Enable. */
    void wasReset() {
        apply();
    }

    /**
     * Enables VFs, or another number of them, whatever the driver of the owner device thinks: a change of the adapter
     * itself, which no register can make.
     */
    void setMembers(int count) {
        int control = (int) space.read(CTRL, Short.BYTES);
        int enable = PciRegisters.SRIOV_CTRL_VFE | PciRegisters.SRIOV_CTRL_MSE;
        space.set(CTRL, count > 0 ? control | enable : control & ~enable);
        space.set(NUM_VF, count);
        apply();
    }

    private void apply() {
        owner.setMembers(isEnabled(), isEnabled() ? count() : 0);
    }

    private boolean isEnabled() {
        return space.isSet(CTRL, PciRegisters.SRIOV_CTRL_VFE);
    }

    private int count() {
        return (int) space.read(NUM_VF, Short.BYTES);
    }
}
