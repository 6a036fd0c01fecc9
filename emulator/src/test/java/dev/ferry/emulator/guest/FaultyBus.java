// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.PciFunction;

/** Stands between a guest and a function, and keeps interrupts or notifications of one queue back. */
final class FaultyBus implements PciFunction {

    private static final int VIRTIO_BAR = 2;
    private static final int NOTIFY_AREA = 0x3000;

    private final PciFunction function;
    volatile boolean losesInterrupts;
    /** -1 for none. */
    volatile long heldQueue = -1;

    FaultyBus(PciFunction function) {
        this.function = function;
    }

    @Override
    public String id() {
        return function.id();
    }

    @Override
    public long readConfig(int offset, int size) {
        return function.readConfig(offset, size);
    }

    @Override
    public void writeConfig(int offset, int size, long value) {
        function.writeConfig(offset, size, value);
    }

    @Override
    public long barSize(int bar) {
        return function.barSize(bar);
    }

    @Override
    public long readBar(int bar, long offset, int size) {
        return function.readBar(bar, offset, size);
    }

    @Override
    public void writeBar(int bar, long offset, int size, long value) {
        if (bar != VIRTIO_BAR || offset < NOTIFY_AREA || value != heldQueue) {
            function.writeBar(bar, offset, size, value);
        }
    }

    @Override
    public void attach(DmaSpace dma, InterruptListener interrupts) {
        function.attach(dma, (vector, address, data) -> {
            if (!losesInterrupts) {
                interrupts.messageSignalled(vector, address, data);
            }
        });
    }

    @Override
    public void detach() {
        function.detach();
    }
}
