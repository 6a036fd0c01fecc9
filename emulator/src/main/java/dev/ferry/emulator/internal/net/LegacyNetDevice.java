// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.legacy.LegacyDevice;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtqueueConfig;

/**
 * The virtio-net device as a legacy driver has it: the same state, without an end of negotiation, with rings where a
 * page number says, and an address that can be written. Guarded by the function's lock.
 */
final class LegacyNetDevice implements LegacyDevice {

    private static final int STATUS_BITS =
            DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.DRIVER_OK | DeviceStatus.FAILED;

    private final FunctionRegisters registers;
    private final NetDevice device;
    private final CommonConfigRegisters common;

    LegacyNetDevice(FunctionRegisters registers, CommonConfigRegisters common) {
        this.registers = registers;
        this.device = registers.device();
        this.common = common;
    }

    @Override
    public boolean isMsixEnabled() {
        return registers.interrupts();
    }

    @Override
    public long read(PciCommonConfig register) {
        return common.read(register.offset(), register.size());
    }

    @Override
    public void write(PciCommonConfig register, long value) {
        common.write(register.offset(), register.size(), value);
    }

    @Override
    public long offeredFeatures() {
        return device.config().features();
    }

    @Override
    public long driverFeatures() {
        return device.state().driverFeatures;
    }

    @Override
    public void takeFeatures(long features) {
        // Old drivers set up their queues before they say which features they take.
        if (!device.state().is(DeviceStatus.FEATURES_OK) && !device.state().is(DeviceStatus.DRIVER_OK)) {
            device.state().driverFeatures = features;
        }
    }

    @Override
    public VirtqueueConfig selectedQueue() {
        int selected = device.state().queueSelect;
        return selected < device.state().queues()
                ? device.state().queue(selected)
                : new VirtqueueConfig(0, VirtqueueConfig.NO_VECTOR, false, 0, 0, 0);
    }

    /** The ring begins where the used index in memory says, which is 0 in memory that was cleared as it must be. */
    @Override
    public void changeSelectedQueue(VirtqueueConfig queue) {
        VirtioState state = device.state();
        if (state.queueSelect < state.queues() && !state.is(DeviceStatus.FEATURES_OK)) {
            state.takeLegacyFeatures();
            device.resetQueue(state.queueSelect);
            state.queue(state.queueSelect, queue);
        }
    }

    @Override
    public void setStatus(int status) {
        if (status == 0) {
            registers.takeIsr();
            device.reset();
        } else {
            if (!device.state().is(DeviceStatus.FEATURES_OK)) {
                device.state().takeLegacyFeatures();
            }
            device.state().status |= status & STATUS_BITS;
        }
    }

    @Override
    public void notified(int queue) {
        device.notified(queue);
    }

    @Override
    public int takeIsr() {
        return registers.takeIsr();
    }

    @Override
    public int configBytesLeft(int offset) {
        return DeviceConfigRegisters.bytesLeft(offset);
    }

    @Override
    public long readConfig(int offset, int bytes) {
        return DeviceConfigRegisters.read(device, offset, bytes);
    }

    @Override
    public void writeConfig(int offset, int bytes, long value) {
        if (offset + bytes > FunctionConfig.MAC_BYTES) {
            return;
        }
        byte[] mac = device.state().controls.mac().clone();
        for (int i = 0; i < bytes; i++) {
            mac[offset + i] = (byte) (value >>> i * Byte.SIZE);
        }
        device.state().controls.setMac(mac);
    }
}
