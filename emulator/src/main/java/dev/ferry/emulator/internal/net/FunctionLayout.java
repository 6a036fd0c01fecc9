// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.pci.ConfigLayout;
import dev.ferry.emulator.internal.pci.MsixTable;
import dev.ferry.emulator.internal.pci.PciRegisters;
import dev.ferry.emulator.internal.pci.VirtioPciCapability;
import dev.ferry.virtio.PciCommonConfig;

/**
 * Where everything is in the function: capabilities in configuration space, and structures in two BARs of 64 bits.
 *
 * <p>BAR 0 stays free, since the legacy interface by admin commands demands that it is not there.
 */
final class FunctionLayout {

    /** BAR with the virtio structures. */
    static final int VIRTIO_BAR = 2;
    /** Its size. */
    static final int VIRTIO_BAR_BYTES = 0x4000;
    /** Offset of the common configuration. */
    static final int COMMON_OFFSET = 0x0000;
    /** Offset of the ISR status. */
    static final int ISR_OFFSET = 0x1000;
    /** Bytes of the ISR status. */
    static final int ISR_BYTES = 1;
    /** Offset of the device configuration. */
    static final int DEVICE_OFFSET = 0x2000;
    /** Offset of the notification area. */
    static final int NOTIFY_OFFSET = 0x3000;
    /** Offset of the notification address of the legacy interface, behind the largest notification area. */
    static final int LEGACY_NOTIFY_OFFSET = 0x3800;
    /** Bytes between the notification addresses of two queues. */
    static final int NOTIFY_OFF_MULTIPLIER = 4;

    /** BAR with the MSI-X structures. */
    static final int MSIX_BAR = 4;
    /** Its size. */
    static final int MSIX_BAR_BYTES = 0x4000;
    /** Offset of the pending bits, behind the largest table; the table is at 0. */
    static final int MSIX_PBA_OFFSET = (FunctionConfig.MAX_QUEUE_PAIRS + 1) * 2 * MsixTable.ENTRY_BYTES;

    /** Offset of the PCI Express capability. */
    static final int EXPRESS_CAP = 0x40;
    /** Offset of the MSI-X capability. */
    static final int MSIX_CAP = 0x80;
    /** Offset of the capability of the PCI access window. */
    static final int PCI_CFG_CAP = 0xD4;

    private static final int COMMON_CAP = 0x90;
    private static final int NOTIFY_CAP = 0xA0;
    private static final int ISR_CAP = 0xB4;
    private static final int DEVICE_CAP = 0xC4;

    private static final int VENDOR_REDHAT = 0x1AF4;
    private static final int DEVICE_NET = 0x1041;
    private static final int REVISION = 1;
    /** 0x40 or higher, as the text wishes for devices without a legacy interface. */
    private static final int SUBSYSTEM = 0x0041;

    private static final int CLASS_NETWORK = 0x02;

    private static final int ALL_BITS = -1;

    private FunctionLayout() {}

    /** Configuration space of a function. */
    static ConfigLayout of(FunctionConfig config) {
        ConfigLayout layout = new ConfigLayout(
                        config.isOwner() ? VfControl.CONFIG_BYTES : PciRegisters.LEGACY_CONFIG_BYTES)
                .u16(PciRegisters.VENDOR_ID, VENDOR_REDHAT, 0)
                .u16(PciRegisters.DEVICE_ID, DEVICE_NET, 0)
                .u16(PciRegisters.COMMAND, 0, PciRegisters.COMMAND_WRITABLE)
                .u8(PciRegisters.REVISION_ID, REVISION, 0)
                .u8(PciRegisters.CLASS_PROG + 2, CLASS_NETWORK, 0)
                .memoryBar64(VIRTIO_BAR, VIRTIO_BAR_BYTES)
                .memoryBar64(MSIX_BAR, MSIX_BAR_BYTES)
                .u16(PciRegisters.SUBSYSTEM_VENDOR_ID, VENDOR_REDHAT, 0)
                .u16(PciRegisters.SUBSYSTEM_ID, SUBSYSTEM, 0)
                .u8(PciRegisters.INTERRUPT_LINE, 0, ALL_BITS);
        express(layout);
        msix(layout, config.vectors());
        structure(layout, COMMON_CAP, VirtioPciCapability.COMMON_CFG, COMMON_OFFSET, PciCommonConfig.BYTES);
        structure(
                layout,
                NOTIFY_CAP,
                VirtioPciCapability.NOTIFY_CFG,
                NOTIFY_OFFSET,
                config.allQueues() * NOTIFY_OFF_MULTIPLIER);
        layout.u8(NOTIFY_CAP + VirtioPciCapability.CAP_LEN, VirtioPciCapability.LONG_BYTES, 0)
                .u32(NOTIFY_CAP + VirtioPciCapability.NOTIFY_OFF_MULTIPLIER, NOTIFY_OFF_MULTIPLIER, 0);
        structure(layout, ISR_CAP, VirtioPciCapability.ISR_CFG, ISR_OFFSET, ISR_BYTES);
        structure(layout, DEVICE_CAP, VirtioPciCapability.DEVICE_CFG, DEVICE_OFFSET, DeviceConfigRegisters.BYTES);
        window(layout);
        if (config.isOwner()) {
            VfControl.layOut(layout, DEVICE_NET);
        }
        return layout;
    }

    private static void express(ConfigLayout layout) {
        layout.capability(EXPRESS_CAP, PciRegisters.CAP_ID_EXP)
                .u16(EXPRESS_CAP + PciRegisters.EXP_FLAGS, PciRegisters.EXP_FLAGS_ENDPOINT_V2, 0)
                .u32(
                        EXPRESS_CAP + PciRegisters.EXP_DEVCAP,
                        PciRegisters.EXP_DEVCAP_RBER | PciRegisters.EXP_DEVCAP_FLR,
                        0)
                .u16(EXPRESS_CAP + PciRegisters.EXP_DEVCTL, PciRegisters.EXP_DEVCTL_DEFAULT, ALL_BITS);
    }

    private static void msix(ConfigLayout layout, int vectors) {
        layout.capability(MSIX_CAP, PciRegisters.CAP_ID_MSIX)
                .u16(
                        MSIX_CAP + PciRegisters.MSIX_FLAGS,
                        vectors - 1,
                        PciRegisters.MSIX_FLAGS_ENABLE | PciRegisters.MSIX_FLAGS_MASKALL)
                .u32(MSIX_CAP + PciRegisters.MSIX_TABLE, MSIX_BAR, 0)
                .u32(MSIX_CAP + PciRegisters.MSIX_PBA, MSIX_PBA_OFFSET | MSIX_BAR, 0);
    }

    private static void structure(ConfigLayout layout, int at, int cfgType, int offset, int length) {
        layout.capability(at, PciRegisters.CAP_ID_VNDR)
                .u8(at + VirtioPciCapability.CAP_LEN, VirtioPciCapability.BYTES, 0)
                .u8(at + VirtioPciCapability.CFG_TYPE, cfgType, 0)
                .u8(at + VirtioPciCapability.BAR, VIRTIO_BAR, 0)
                .u32(at + VirtioPciCapability.OFFSET, offset, 0)
                .u32(at + VirtioPciCapability.LENGTH, length, 0);
    }

    private static void window(ConfigLayout layout) {
        layout.capability(PCI_CFG_CAP, PciRegisters.CAP_ID_VNDR)
                .u8(PCI_CFG_CAP + VirtioPciCapability.CAP_LEN, VirtioPciCapability.LONG_BYTES, 0)
                .u8(PCI_CFG_CAP + VirtioPciCapability.CFG_TYPE, VirtioPciCapability.PCI_CFG, 0)
                .u8(PCI_CFG_CAP + VirtioPciCapability.BAR, 0, ALL_BITS)
                .u32(PCI_CFG_CAP + VirtioPciCapability.OFFSET, 0, ALL_BITS)
                .u32(PCI_CFG_CAP + VirtioPciCapability.LENGTH, 0, ALL_BITS);
    }

    /** Size of a BAR; 0 for one that is not there. */
    static long barSize(int bar) {
        return switch (bar) {
            case VIRTIO_BAR -> VIRTIO_BAR_BYTES;
            case MSIX_BAR -> MSIX_BAR_BYTES;
            default -> 0;
        };
    }
}
