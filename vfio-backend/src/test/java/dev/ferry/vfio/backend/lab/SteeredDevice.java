// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.device.DeviceException;
import dev.ferry.fsm.Arc;
import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The registers of the lab's own device: 64 bits each, in BAR 0. */
final class SteeredDevice {
    static final int STATE_BYTES = 0x00;
    static final int SEED = 0x08;
    static final int SCRATCH = 0x10;
    static final int INITIAL_BYTES = 0x18;
    static final int MAKE_DIRTY = 0x20;
    static final int REINIT = 0x28;
    static final int FAIL_DATA = 0x48;
    static final int DMA_IOVA = 0x50;
    static final int DMA_WRITE = 0x58;
    static final int LOADED_BYTES = 0x60;
    static final int HELD = 0x70;
    static final int POLL_READY = 0x78;
    static final int HOLD_DATA = 0x80;

    private static final int FAIL_ARC = 0x30;
    private static final int FAIL_ERRNO = 0x38;
    private static final int FAIL_TO_ERROR = 0x40;
    private static final int HOLD_ARC = 0x68;
    private static final int BAR0 = 0;

    private final VfioDevice device;
    private final Region registers;

    SteeredDevice(VfioDevice device) throws DeviceException {
        this.device = device;
        this.registers = device.region(BAR0);
    }

    void set(int register, long value) throws DeviceException {
        registers.write(
                register, ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(0, value).array());
    }

    long get(int register) throws DeviceException {
        return ByteBuffer.wrap(registers.read(register, Long.BYTES)).order(ByteOrder.nativeOrder()).getLong();
    }

    /** Orders that an arc fails, once. */
    void fail(Arc arc, int errno, boolean toError) throws DeviceException {
        set(FAIL_ERRNO, errno);
        set(FAIL_TO_ERROR, toError ? 1 : 0);
        set(FAIL_ARC, register(arc));
    }

    /** Orders that whoever asks for an arc is kept in it until he is killed, once. */
    void hold(Arc arc) throws DeviceException {
        set(HOLD_ARC, register(arc));
    }

    private static long register(Arc arc) {
        return (long) arc.from().number() << Byte.SIZE | arc.to().number();
    }

    /** Resets the device behind its driver's back, as a guest may. */
    void resetDirectly() {
        device.ioctl(VfioIoctl.VFIO_DEVICE_RESET, MemorySegment.NULL);
    }
}
