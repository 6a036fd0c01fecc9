// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.member.MemberDevice;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.util.List;

/** One virtio-net VF: the PCI function, its cable and what its owner device does with it. Thread-safe. */
public final class VirtioNetFunction implements MemberDevice, PciFunction, NetworkPort {

    private final FunctionConfig config;

    /** A function as after power-on, with nothing attached. */
    public VirtioNetFunction(FunctionConfig config) {
        this.config = config;
    }

    @Override
    public String id() {
        return config.id();
    }

    @Override
    public long readConfig(int offset, int size) {
        return -1;
    }

    @Override
    public void writeConfig(int offset, int size, long value) {}

    @Override
    public long barSize(int bar) {
        return 0;
    }

    @Override
    public long readBar(int bar, long offset, int size) {
        return -1;
    }

    @Override
    public void writeBar(int bar, long offset, int size, long value) {}

    @Override
    public void attach(DmaSpace dma, InterruptListener interrupts) {}

    @Override
    public void detach() {}

    @Override
    public Delivery deliver(ByteBuffer frame) {
        return Delivery.NOT_READY;
    }

    @Override
    public void connect(FrameSink sink) {}

    @Override
    public void setStopped(boolean stopped) {}

    @Override
    public boolean isStopped() {
        return false;
    }

    @Override
    public List<DevicePart> partHeaders() {
        return List.of();
    }

    @Override
    public int maxPartsSize() {
        return 0;
    }

    @Override
    public boolean captureParts(List<DevicePart> selected, ByteBuffer into) {
        return true;
    }

    @Override
    public AdminResult loadParts(ByteBuffer parts) {
        return AdminResult.SUCCESS;
    }

    @Override
    public void resetFunction() {}

    @Override
    public void remove() {}
}
