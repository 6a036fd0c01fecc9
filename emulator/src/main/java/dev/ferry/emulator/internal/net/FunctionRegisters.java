// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.internal.legacy.LegacyRegisters;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.pci.ConfigSpace;
import dev.ferry.emulator.internal.pci.MsixMessage;
import dev.ferry.emulator.internal.pci.MsixTable;
import dev.ferry.emulator.internal.pci.PciRegisters;
import dev.ferry.emulator.internal.pci.VirtioPciCapability;
import dev.ferry.virtio.PciCommonConfig;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * The PCI face of a function: configuration space, what answers in its BARs, DMA and interrupts. Guarded by the
 * function's lock.
 */
final class FunctionRegisters implements Bus {

    private static final int ISR_QUEUE = 1;
    private static final int ISR_CONFIG = 2;

    private final ConfigSpace configSpace;
    private final MsixTable msix;
    private final NetDevice device;
    private final WriteRecords writeRecords;
    private final CommonConfigRegisters common;
    private final LegacyRegisters legacy;
    private final int notifyBytes;
    private final Optional<VfControl> vfControl;

    private Optional<DmaSpace> memory = Optional.empty();
    private InterruptListener listener = (vector, address, data) -> {};
    private int isr;

    FunctionRegisters(FunctionConfig config, OwnerSide owner) {
        writeRecords = new WriteRecords(config.id());
        configSpace = new ConfigSpace(FunctionLayout.of(config));
        msix = new MsixTable(config.vectors());
        device = new NetDevice(config, this, owner);
        common = new CommonConfigRegisters(device);
        legacy = new LegacyRegisters(new LegacyNetDevice(this, common));
        notifyBytes = config.allQueues() * FunctionLayout.NOTIFY_OFF_MULTIPLIER;
        vfControl = config.isOwner() ? Optional.of(new VfControl(configSpace, owner)) : Optional.empty();
    }

    NetDevice device() {
        return device;
    }

    /** The log of the pages that the device writes. */
    WriteRecords writeRecords() {
        return writeRecords;
    }

    LegacyRegisters legacy() {
        return legacy;
    }

    InterruptListener listener() {
        return listener;
    }

    void attach(DmaSpace newMemory, InterruptListener newListener) {
        memory = Optional.of(newMemory.observedBy(writeRecords));
        listener = newListener;
    }

    void detach() {
        memory = Optional.empty();
        listener = (vector, address, data) -> {};
    }

    long readConfig(int offset, int size) {
        if (!ConfigSpace.isAccess(offset, size)) {
            return PciRegisters.allOnes(size);
        }
        if (offset == FunctionLayout.PCI_CFG_CAP + VirtioPciCapability.PCI_CFG_DATA) {
            int length = windowLength();
            return length == 0 ? 0 : readBar(windowBar(), windowOffset(), length) & PciRegisters.allOnes(size);
        }
        return configSpace.read(offset, size);
    }

    void writeConfig(int offset, int size, long value) {
        if (!ConfigSpace.isAccess(offset, size)) {
            return;
        }
        if (offset == FunctionLayout.PCI_CFG_CAP + VirtioPciCapability.PCI_CFG_DATA) {
            int length = windowLength();
            if (length > 0) {
                writeBar(windowBar(), windowOffset(), length, value & PciRegisters.allOnes(Math.min(size, length)));
            }
            return;
        }
        vfControl.ifPresentOrElse(
                vfs -> vfs.write(offset, size, value), () -> configSpace.write(offset, size, value));
        if (configSpace.isSet(
                FunctionLayout.EXPRESS_CAP + PciRegisters.EXP_DEVCTL, PciRegisters.EXP_DEVCTL_BCR_FLR)) {
            reset();
        }
    }

    /** Length of the access that the window in configuration space makes; 0 when what is set there is none. */
    private int windowLength() {
        long length = configSpace.read(FunctionLayout.PCI_CFG_CAP + VirtioPciCapability.LENGTH, Integer.BYTES);
        boolean legal = length == 1 || length == 2 || length == Integer.BYTES;
        return legal && windowOffset() % length == 0 ? (int) length : 0;
    }

    private int windowBar() {
        return (int) configSpace.read(FunctionLayout.PCI_CFG_CAP + VirtioPciCapability.BAR, 1);
    }

    private long windowOffset() {
        return configSpace.read(FunctionLayout.PCI_CFG_CAP + VirtioPciCapability.OFFSET, Integer.BYTES);
    }

    /** Whether the BARs answer. */
    boolean isMemoryEnabled() {
        return configSpace.isSet(PciRegisters.COMMAND, PciRegisters.COMMAND_MEMORY);
    }

    /** Reads within a BAR, whether or not the BARs answer on the bus. */
    long readBar(int bar, long offset, int size) {
        if (offset < 0 || offset % size != 0) {
            return PciRegisters.allOnes(size);
        }
        return switch (bar) {
            case FunctionLayout.VIRTIO_BAR -> readVirtio(offset, size);
            case FunctionLayout.MSIX_BAR ->
                offset < FunctionLayout.MSIX_PBA_OFFSET
                        ? msix.readTable(offset, size)
                        : msix.readPending(offset - FunctionLayout.MSIX_PBA_OFFSET, size);
            default -> PciRegisters.allOnes(size);
        };
    }

    private long readVirtio(long offset, int size) {
        if (offset < FunctionLayout.ISR_OFFSET) {
            return common.read(offset - FunctionLayout.COMMON_OFFSET, size);
        }
        if (offset == FunctionLayout.ISR_OFFSET && size == FunctionLayout.ISR_BYTES) {
            return takeIsr();
        }
        return offset < FunctionLayout.DEVICE_OFFSET
                ? PciRegisters.allOnes(size)
                : DeviceConfigRegisters.read(device, offset - FunctionLayout.DEVICE_OFFSET, size);
    }

    /** Reads and clears the ISR status. */
    int takeIsr() {
        int was = isr;
        isr = 0;
        return was;
    }

    /** Writes within a BAR, whether or not the BARs answer on the bus. */
    void writeBar(int bar, long offset, int size, long value) {
        if (offset < 0 || offset % size != 0) {
            return;
        }
        if (bar == FunctionLayout.MSIX_BAR) {
            msix.writeTable(offset, size, value);
        } else if (bar == FunctionLayout.VIRTIO_BAR && offset < FunctionLayout.ISR_OFFSET) {
            writeCommon(offset - FunctionLayout.COMMON_OFFSET, size, value);
        } else if (bar == FunctionLayout.VIRTIO_BAR && offset == FunctionLayout.LEGACY_NOTIFY_OFFSET) {
            writeLegacyNotification(size, value);
        } else if (bar == FunctionLayout.VIRTIO_BAR && offset >= FunctionLayout.NOTIFY_OFFSET) {
            writeNotification(offset - FunctionLayout.NOTIFY_OFFSET, size);
        }
    }

    /** A frozen device holds everything but a reset, for which its driver waits. */
    private void writeCommon(long offset, int size, long value) {
        boolean reset = offset == PciCommonConfig.DEVICE_STATUS.offset() && value == 0;
        if (device.isFrozen() && !reset) {
            device.held().hold(offset, size, value);
        } else {
            common.write(offset, size, value);
        }
    }

    /** Leaves FREEZE for STOP: what was held takes effect, registers first. */
    void leaveFreeze() {
        device.unfreeze();
        HeldWrites held = device.held();
        BitSet kicks = (BitSet) held.kicks().clone();
        boolean lost = held.isLost();
        for (HeldWrites.Held write = held.poll(); write != null; write = held.poll()) {
            common.write(write.offset(), write.size(), write.value());
        }
        held.clear();
        kicks.stream().forEach(device::notified);
        if (lost) {
            device.needReset("its driver wrote more than is held while it was frozen");
        }
    }

    /** The place says which queue; the value would only repeat it. */
    private void writeNotification(long offset, int size) {
        if ((size == Short.BYTES || size == Integer.BYTES)
                && offset < notifyBytes
                && offset % FunctionLayout.NOTIFY_OFF_MULTIPLIER == 0) {
            device.notified((int) offset / FunctionLayout.NOTIFY_OFF_MULTIPLIER);
        }
    }

    /** Here the value says which queue, as it does in Queue Notify. */
    private void writeLegacyNotification(int size, long value) {
        if (size == Short.BYTES && device.config().legacy()) {
            device.notified((int) value & 0xFFFF);
        }
    }

    /** Brings everything to its defaults but the mode: no guest may set a device to work that its owner stopped. */
    private void reset() {
        configSpace.reset();
        msix.reset();
        vfControl.ifPresent(VfControl::wasReset);
        device.reset();
        isr = 0;
    }

    /** Enables another number of VFs of an owner device. */
    void setMembers(int count) {
        vfControl.orElseThrow().setMembers(count);
    }

    /** Brings everything to its defaults. */
    void functionReset() {
        reset();
        device.functionReset();
    }

    /** As {@link #functionReset}, but configuration space and MSI-X table are as before, and perhaps the mode. */
    void functionResetKeepingPci(boolean toWork) {
        byte[] config = configSpace.save();
        byte[] table = msix.save();
        if (toWork) {
            functionReset();
        } else {
            reset();
        }
        configSpace.restore(config);
        msix.restore(table);
    }

    /** Takes the messages that may be sent now. */
    List<MsixMessage> takeDue() {
        return interrupts()
                        && !configSpace.isSet(
                                FunctionLayout.MSIX_CAP + PciRegisters.MSIX_FLAGS, PciRegisters.MSIX_FLAGS_MASKALL)
                        && !device.isStopped()
                        && memory().isPresent()
                ? msix.takeDue()
                : List.of();
    }

    @Override
    public Optional<DmaSpace> memory() {
        return configSpace.isSet(PciRegisters.COMMAND, PciRegisters.COMMAND_MASTER) ? memory : Optional.empty();
    }

    @Override
    public boolean interrupts() {
        return configSpace.isSet(
                FunctionLayout.MSIX_CAP + PciRegisters.MSIX_FLAGS, PciRegisters.MSIX_FLAGS_ENABLE);
    }

    @Override
    public void signalQueue(int vector) {
        signal(vector, ISR_QUEUE);
    }

    @Override
    public void signalConfig(int vector) {
        signal(vector, ISR_CONFIG);
    }

    private void signal(int vector, int isrBit) {
        if (interrupts()) {
            msix.signal(vector);
        } else {
            isr |= isrBit;
        }
    }
}
