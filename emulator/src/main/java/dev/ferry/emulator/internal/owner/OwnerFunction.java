// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.InterruptListener;
import dev.ferry.emulator.control.PciFunction;
import java.util.Objects;

/**
 * The PCI function of the owner device as whoever drives it sees it: the function, and a word to those who follow the
 * number of members after each access that may have changed it, when no lock is held any more. Thread-safe.
 */
final class OwnerFunction implements PciFunction {

    private final PciFunction function;
    private final Runnable afterwards;

    OwnerFunction(PciFunction function, Runnable afterwards) {
        this.function = Objects.requireNonNull(function, "function");
        this.afterwards = Objects.requireNonNull(afterwards, "afterwards");
    }

    @Override
    public String id() {
        return function.id();
    }

    @Override
    public long readConfig(int offset, int size) {
        return function.readConfig(offset, size);
    }

    /** VFs come and go by configuration space alone. */
    @Override
    public void writeConfig(int offset, int size, long value) {
        function.writeConfig(offset, size, value);
        afterwards.run();
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
        function.writeBar(bar, offset, size, value);
    }

    @Override
    public void attach(DmaSpace dma, InterruptListener interrupts) {
        function.attach(dma, interrupts);
    }

    @Override
    public void detach() {
        function.detach();
    }
}
