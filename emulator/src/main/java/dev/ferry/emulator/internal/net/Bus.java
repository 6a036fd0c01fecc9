// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import java.util.Optional;

/** What the PCI side of a function is for the device behind it. Called with the function's lock held. */
interface Bus {

    /** The memory that the device may access now; empty when nothing is attached or bus mastering is off. */
    Optional<DmaSpace> memory();

    /** Whether interrupts have somewhere to go: the driver uses MSI-X. */
    boolean interrupts();

    /** Tells the driver that buffers of a queue were used. */
    void signalQueue(int vector);

    /** Tells the driver that the configuration changed. */
    void signalConfig(int vector);
}
